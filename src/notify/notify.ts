export { type ChannelDeps, createChannels, sendTest } from './channels.ts';
export type { Channel, Message, Outcome } from './content.ts';
export { Delivery, type DeliveryOptions } from './delivery.ts';
export type { DigestData } from './digest.ts';
export { renderDigest } from './digest-mail.ts';
export {
  type ChannelOptions,
  channelOptions,
  type OutboxOptions,
  outboxOptions,
  type RouteOptions,
  routeOptions,
} from './options.ts';
export { type ChannelStats, type DeadLetter, Outbox, type OutboxLimits } from './outbox.ts';
export { Router, type Target } from './route.ts';
