import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Component } from '../core/component.ts';
import { messageOf, WeirError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { labelled, type Metrics } from '../core/metrics.ts';
import { shipped } from '../core/paths.ts';
import { EXPOSITION_TYPE, expose } from '../core/prometheus.ts';
import { parseTimeUs } from '../core/time.ts';
import type { DashboardData } from '../model/dashboard.ts';
import { EventHub } from './events.ts';
import { Guard } from './guard.ts';
import { parseListen } from './options.ts';

export interface WebOptions {
  listen: string;
  token?: string;
}

export interface WebDeps {
  metrics: Metrics;
  logger: Logger;
  data: DashboardData;
  /** Null: all is well; else what keeps the daemon from its work. */
  trouble: () => string | null;
}

type Query = Record<string, string | undefined>;

const MOST_STEPS = 2016;
const MOST_CONNECTIONS = 256;
const OPEN_PATHS = new Set(['/healthz', '/readyz']);
const PAGE: Record<string, [file: string, type: string]> = {
  '/': [here('index.html'), 'text/html; charset=utf-8'],
  '/app.js': [here('app.js'), 'text/javascript; charset=utf-8'],
  '/style.css': [here('style.css'), 'text/css; charset=utf-8'],
  '/uplot.js': [uplot('uPlot.iife.min.js'), 'text/javascript; charset=utf-8'],
  '/uplot.css': [uplot('uPlot.min.css'), 'text/css; charset=utf-8'],
};
/** The page needs nothing from elsewhere, and nobody may frame it. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
};

/** Dashboard, API, live events and metrics over HTTP. Reads only: nothing here changes what weir does. */
export class WebServer implements Component {
  readonly name = 'web';
  readonly events: EventHub;
  readonly #options: WebOptions;
  readonly #deps: WebDeps;
  readonly #guard: Guard;
  #app: FastifyInstance | null = null;

  constructor(options: WebOptions, deps: WebDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#guard = new Guard(options.token);
    this.events = new EventHub(deps);
  }

  /** @throws WeirError `web.listen` when the address cannot be had */
  async start(): Promise<void> {
    const listen = parseListen(this.#options.listen);
    if (listen === 'off' || listen === null || this.#app) return;
    const app = fastify({ bodyLimit: 1024, requestTimeout: 30_000, keepAliveTimeout: 10_000 });
    app.server.maxConnections = MOST_CONNECTIONS;
    app.addHook('onRequest', async (request, reply) => this.#admit(request, reply));
    app.addHook('onResponse', async (_, reply) => this.#count(reply.statusCode));
    this.#routes(app);
    try {
      await app.listen(listen);
    } catch (cause) {
      throw new WeirError('web.listen', `cannot listen on ${this.#options.listen}: ${messageOf(cause)}`, {
        cause,
        hint: 'choose another http.listen, or `off`',
      });
    }
    this.#app = app;
    this.#deps.logger.info({ code: 'web.listening', address: this.url });
  }

  /** `http://127.0.0.1:8686/`; null where nothing listens. */
  get url(): string | null {
    const address = this.#app?.server.address() as AddressInfo | null | undefined;
    if (!address) return null;
    const host = address.address === '::' || address.address === '0.0.0.0' ? 'localhost' : address.address;
    return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}/`;
  }

  async stop(): Promise<void> {
    this.events.close();
    const app = this.#app;
    this.#app = null;
    app?.server.closeAllConnections();
    await app?.close();
  }

  async #admit(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    reply.headers(HEADERS);
    const { token } = request.query as Query;
    const path = request.url.split('?', 1)[0];
    if (OPEN_PATHS.has(path) || this.#guard.allows(request.headers, token)) {
      if (path === '/' && token !== undefined && this.#guard.matches(token)) return this.#logIn(reply, token);
      return;
    }
    if (this.#guard.needsToken) reply.header('WWW-Authenticate', 'Bearer');
    const error = this.#guard.needsToken
      ? 'a token is needed: Authorization: Bearer TOKEN, or /?token=TOKEN in a browser'
      : 'only this machine is served: ask for 127.0.0.1, or configure http.token';
    return reply.code(this.#guard.needsToken ? 401 : 403).send({ error });
  }

  /** The token leaves the address line, where histories would keep it. */
  #logIn(reply: FastifyReply, token: string): unknown {
    reply.header('Set-Cookie', `weir=${encodeURIComponent(token)}; HttpOnly; SameSite=Strict; Path=/`);
    return reply.redirect('/', 303);
  }

  #count(status: number): void {
    const name = labelled('weir_http_requests_total', { code: String(status) });
    this.#deps.metrics.counter(name, 'Answers over HTTP, by status.').value++;
  }

  #routes(app: FastifyInstance): void {
    const { data, metrics, trouble } = this.#deps;
    for (const [path, [file, type]] of Object.entries(PAGE)) {
      const content = readFileSync(file);
      app.get(path, (_, reply) => reply.type(type).send(content));
    }
    const [index, type] = PAGE['/'];
    const page = readFileSync(index);
    app.get('/alerts/:id', (_, reply) => reply.type(type).send(page));
    app.get('/metrics', (_, reply) => reply.type(EXPOSITION_TYPE).send(expose(metrics)));
    app.get('/healthz', () => ({ ok: true }));
    app.get('/readyz', (_, reply) => {
      const why = trouble();
      return reply.code(why === null ? 200 : 503).send(why === null ? { ready: true } : { ready: false, why });
    });
    app.get('/api/status', () => data.status());
    app.get('/api/alerts', () => data.alerts());
    app.get('/api/talkers', () => data.talkers(10));
    app.get('/api/series', (request, reply) => this.#series(request.query as Query, reply));
    app.get('/api/forecast', (request, reply) => this.#forecast(request.query as Query, reply));
    app.get('/api/events', (request, reply) => this.#listen(request, reply));
  }

  async #series({ name, from, to }: Query, reply: FastifyReply): Promise<unknown> {
    const { data } = this.#deps;
    if (name === undefined) return { series: data.seriesNames() };
    const fromUs = timeOf(from, Number.NEGATIVE_INFINITY);
    const untilUs = timeOf(to, Number.POSITIVE_INFINITY);
    if (Number.isNaN(fromUs) || Number.isNaN(untilUs)) return refuse(reply, 400, 'from and to are ISO 8601 times');
    const points = await data.series(name, fromUs, untilUs);
    if (points === null) return refuse(reply, 404, 'no such series');
    return { name, points: points.map(({ timeUs, value }) => [timeUs / 1e6, value]) };
  }

  #forecast({ name, steps }: Query, reply: FastifyReply): unknown {
    const wanted = steps === undefined ? 288 : Number(steps);
    if (name === undefined || !(Number.isInteger(wanted) && wanted > 0 && wanted <= MOST_STEPS)) {
      return refuse(reply, 400, `name, and steps from 1 to ${MOST_STEPS}`);
    }
    const forecast = this.#deps.data.forecast(name, wanted);
    return forecast === null ? refuse(reply, 404, 'no such series') : { name, ...forecast };
  }

  #listen(_: FastifyRequest, reply: FastifyReply): unknown {
    reply.hijack();
    const { raw } = reply;
    if (!this.events.add(raw)) {
      raw.writeHead(503, { 'Retry-After': '30' }).end();
      return reply;
    }
    raw.writeHead(200, { ...HEADERS, 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    raw.write('retry: 3000\n\n');
    return reply;
  }
}

function refuse(reply: FastifyReply, code: number, error: string): unknown {
  return reply.code(code).send({ error });
}

function timeOf(text: string | undefined, absent: number): number {
  return text === undefined ? absent : parseTimeUs(text);
}

/** The page is not compiled: it is served from where the package keeps it. */
function here(name: string): string {
  return join(shipped('src/web/page'), name);
}

function uplot(name: string): string {
  return join(fileURLToPath(import.meta.resolve('uplot')), '..', name);
}
