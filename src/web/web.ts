export { type HttpOptions, httpOptions, isLoopback, parseListen } from './options.ts';
export { type WebDeps, type WebOptions, WebServer } from './server.ts';
