import type { Clock } from '../core/clock.ts';
import { printable } from '../core/text.ts';
import { describeKey } from '../model/key-text.ts';
import type { Channel, Content, Message, Outcome, Told } from './content.ts';
import { renderDigest } from './digest-mail.ts';
import { colourOf, labelOf, measuredText, sentenceOf, shortTime, stillFiring } from './mail-words.ts';
import type { ChatOptions } from './options.ts';
import { post, withDeadline } from './poster.ts';

export interface ChatDeps {
  clock: Clock;
  url: string;
  dashboardUrl: (content: Content) => string | null;
  userAgent: string;
}

/** A card is cut after so many alerts and characters: chats refuse longer ones. */
const MOST_ALERTS = 10;
const MOST_TEXT = 2500;

interface Card {
  title: string;
  text: string;
  colour: string;
}

/** Posts cards to a chat's incoming webhook: Slack and Mattermost take the same JSON, Teams an adaptive card. */
export class ChatChannel implements Channel {
  readonly name: string;
  readonly groups = true;
  readonly concurrency = 1;
  readonly #options: ChatOptions;
  readonly #deps: ChatDeps;

  constructor(options: ChatOptions, deps: ChatDeps) {
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
  }

  send({ content }: Message, signal: AbortSignal): Promise<Outcome> {
    const { clock, url, userAgent, dashboardUrl } = this.#deps;
    const cards = cardsOf(content);
    const link = dashboardUrl(content);
    const message = this.#options.format === 'teams' ? teams(cards, link) : slack(cards, link);
    const headers = { 'User-Agent': userAgent, 'Content-Type': 'application/json' };
    const request = { url, body: JSON.stringify(message), headers };
    return withDeadline((over) => post(request, clock, over), { timeout: this.#options.timeout, clock, signal });
  }
}

function cardsOf(content: Content): Card[] {
  if (content.kind === 'digest') {
    const { subject, text } = renderDigest(content.digest);
    return [{ title: subject, text: text.slice(0, MOST_TEXT), colour: '#2463b0' }];
  }
  if (content.kind === 'alert') return [cardOf(content)];
  const cards = content.alerts.slice(0, MOST_ALERTS).map(cardOf);
  const more = content.alerts.length - cards.length;
  if (more > 0) cards.push({ title: `and ${more} more`, text: '', colour: '#5b6675' });
  return cards;
}

function cardOf(told: Told): Card {
  const { alert, repeat } = told;
  const lines = [
    repeat === undefined ? `${alert.state} at ${shortTime(alert.time)}` : stillFiring(alert),
    sentenceOf(alert),
    ...alert.measured.map(measuredText),
    alert.state === 'resolved' ? '' : alert.advice,
  ];
  return {
    title: printable(`[${labelOf(alert)}] ${alert.title}: ${describeKey(alert.key)}`, ' ').slice(0, 300),
    text: lines
      .filter((line) => line !== '')
      .map((line) => printable(line, ' '))
      .join('\n')
      .slice(0, MOST_TEXT),
    colour: colourOf(alert),
  };
}

/** Slack reads three characters as markup (docs.slack.dev, "Formatting message text"); no name can call a channel so. */
function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function slack(cards: readonly Card[], link: string | null): unknown {
  return {
    text: slackText(cards[0]?.title ?? ''),
    attachments: cards.map(({ title, text, colour }) => ({
      color: colour,
      fallback: slackText(title),
      title: slackText(title),
      title_link: link ?? undefined,
      text: slackText(text),
      mrkdwn_in: [],
    })),
  };
}

/** Adaptive card 1.4 in a message, as Teams' workflows for incoming webhooks take it. */
function teams(cards: readonly Card[], link: string | null): unknown {
  const block = (text: string, more: object = {}) => ({
    type: 'TextBlock',
    text: teamsText(text),
    wrap: true,
    ...more,
  });
  const body = cards.flatMap(({ title, text }) => [
    block(title, { weight: 'Bolder' }),
    ...text.split('\n').map((line) => block(line, { spacing: 'None' })),
  ]);
  const actions = link === null ? undefined : [{ type: 'Action.OpenUrl', title: 'Open in weir', url: link }];
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
  };
  return {
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content: { ...content, body, actions } }],
  };
}

/** Teams reads a subset of Markdown. */
function teamsText(text: string): string {
  return text.replace(/[\\*_[\]()~`]/g, '\\$&');
}
