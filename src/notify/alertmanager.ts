import type { Clock } from '../core/clock.ts';
import { parseTimeUs } from '../core/time.ts';
import { parseDurationUs } from '../core/units.ts';
import type { Transition } from '../model/alert.ts';
import { SEVERITIES } from '../model/plan.ts';
import type { Channel, Content, Message, Outcome, Told } from './content.ts';
import type { AlertmanagerOptions } from './options.ts';
import { post, withDeadline } from './poster.ts';

export interface AlertmanagerDeps {
  clock: Clock;
  secret: string | undefined;
  dashboardUrl: (content: Content) => string | null;
  userAgent: string;
}

interface Posted {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  endsAt: string;
  generatorURL?: string;
}

/**
 * Posts alerts to Prometheus Alertmanager, API v2 (openapi.yaml, `POST /alerts`). Labels are the alert's identity there:
 * rule, key and severity; so a change of severity ends the alert of the other severities. An alert that fires ends by
 * itself after `hold`, in case weir cannot tell its end any more.
 */
export class AlertmanagerChannel implements Channel {
  readonly name: string;
  readonly groups = false;
  readonly concurrency = 4;
  readonly #options: AlertmanagerOptions;
  readonly #deps: AlertmanagerDeps;

  constructor(options: AlertmanagerOptions, deps: AlertmanagerDeps) {
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
  }

  async send({ content }: Message, signal: AbortSignal): Promise<Outcome> {
    if (content.kind === 'digest') return { kind: 'delivered', answer: { skipped: 'Alertmanager takes no digests' } };
    const { clock, secret, userAgent } = this.#deps;
    const told: Told[] = content.kind === 'group' ? content.alerts : [content];
    const alerts = told.flatMap(({ alert }) => this.#posted(alert, content));
    const headers: Record<string, string> = {
      'User-Agent': userAgent,
      ...this.#options.headers,
      'Content-Type': 'application/json',
    };
    if (secret !== undefined) headers['Authorization'] = `Bearer ${secret}`;
    const url = `${this.#options.url.replace(/\/+$/, '')}/api/v2/alerts`;
    const request = { url, body: JSON.stringify(alerts), headers };
    return withDeadline((over) => post(request, clock, over), { timeout: this.#options.timeout, clock, signal });
  }

  #posted(alert: Transition, content: Content): Posted[] {
    const nowUs = this.#deps.clock.nowUs();
    const fires = alert.state !== 'resolved';
    const holdUs = parseDurationUs(this.#options.hold);
    const one = (severity: string, endUs: number) => this.#one(alert, severity, { endUs, nowUs, content });
    const moved = alert.state === 'escalated' || alert.state === 'deescalated' || alert.state === 'resolved';
    const others = moved ? SEVERITIES.filter((each) => each !== alert.severity) : [];
    return [one(alert.severity, fires ? nowUs + holdUs : nowUs), ...others.map((severity) => one(severity, nowUs))];
  }

  /** Alertmanager refuses an end before the start, which event time of the future would make. */
  #one(alert: Transition, severity: string, at: { endUs: number; nowUs: number; content: Content }): Posted {
    const startUs = Math.min(parseTimeUs(alert.since), at.nowUs);
    return {
      labels: { ...this.#options.labels, ...keyLabels(alert), alertname: alert.rule, severity },
      annotations: annotationsOf(alert),
      startsAt: isoOf(startUs),
      endsAt: isoOf(at.endUs),
      generatorURL: this.#deps.dashboardUrl(at.content) ?? undefined,
    };
  }
}

/** Names of labels are letters, digits and underscores: `src.ip` is `src_ip`. */
function keyLabels({ key }: Transition): Record<string, string> {
  const name = (field: string) => field.replace(/\W/g, '_').replace(/^(\d)/, '_$1');
  return Object.fromEntries(Object.entries(key).map(([field, value]) => [name(field), String(value)]));
}

function annotationsOf({ title, summary, advice, filter, state, alertId }: Transition): Record<string, string> {
  const all = { title, summary, advice, filter, state, alert_id: alertId };
  return Object.fromEntries(Object.entries(all).filter(([, text]) => text !== ''));
}

function isoOf(timeUs: number): string {
  return new Date(timeUs / 1000).toISOString();
}
