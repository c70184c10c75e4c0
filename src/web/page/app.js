/* The dashboard: asks the API once, then listens to /api/events. No text from outside ever becomes markup. */
const $ = (id) => document.getElementById(id);
const state = { active: new Map(), recent: [], name: null };
const FIRES = new Set(['firing', 'escalated', 'deescalated']);
const MOST_SHOWN = 100;
const FORECAST_STEPS = 288;
const RANK = { critical: 0, warning: 1, info: 2 };

function el(tag, { text, title, className } = {}, children = []) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (title) made.title = title;
  if (className) made.className = className;
  made.append(...children);
  return made;
}

const UNITS = ['', 'k', 'M', 'G', 'T', 'P'];
function short(value, base = 1000) {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  let size = Math.abs(value);
  let step = 0;
  while (size >= base && step < UNITS.length - 1) {
    size /= base;
    step++;
  }
  const digits = size >= 100 || Number.isInteger(size) ? 0 : size >= 10 ? 1 : 2;
  return `${value < 0 ? '−' : ''}${size.toFixed(digits)}${step ? ` ${UNITS[step]}` : ''}`;
}
const bytes = (value) => `${short(value, 1000)}B`;
const unitOf = (name) => (name.endsWith('.bps') ? 'bit/s' : name.endsWith('.pps') ? 'packets/s' : '');
const timeText = (iso) => `${iso.slice(0, 10)} ${iso.slice(11, 19)}`;

async function get(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

function keyText(key) {
  const parts = Object.entries(key).map(([name, value]) => `${name} ${value}`);
  return parts.join(', ') || 'everything';
}

function evidenceText(item) {
  if (item.flows)
    return item.flows
      .slice(0, 3)
      .map((flow) => JSON.stringify(flow))
      .join('\n');
  const shares = item.items.slice(0, 6).map(({ value, share }) => `${value} ${Math.round(share * 100)}%`);
  return `top ${item.topk} by ${item.by}: ${shares.join(', ')}`;
}

function alertItem(alert) {
  const head = el('div', { className: 'head' }, [
    el('span', { className: 'word', text: alert.state === 'resolved' ? 'resolved' : alert.severity }),
    el('b', { text: alert.title }),
    el('span', { className: 'key', text: keyText(alert.key) }),
    el('time', { text: timeText(alert.time) }),
  ]);
  const item = el('li', { className: alert.state === 'resolved' ? 'resolved' : alert.severity }, [head]);
  const measured = alert.measured
    .map(({ name, text, limit }) => `${name} ${text}${limit ? ` (${limit})` : ''}`)
    .join(', ');
  item.append(el('p', { text: measured || alert.summary }));
  const more = [
    ...alert.evidence.map(evidenceText),
    alert.advice && `do: ${alert.advice}`,
    alert.filter && `look: weir query '${alert.filter}'`,
  ];
  const details = el('details', {}, [
    el('summary', { text: 'evidence, advice' }),
    el('pre', { text: more.filter(Boolean).join('\n') }),
  ]);
  if (more.some(Boolean)) item.append(details);
  return item;
}

function showAlerts() {
  const active = [...state.active.values()].sort(
    (a, b) => RANK[a.severity] - RANK[b.severity] || (a.time < b.time ? 1 : -1),
  );
  const chosen = chosenAlert();
  $('recent-title').textContent = chosen === null ? 'what happened last' : 'what happened to this alert';
  $('count').textContent = active.length > 0 ? `(${active.length} firing)` : '';
  showList('firing', active, 'Nothing fires.');
  showList(
    'recent',
    chosen === null ? state.recent : state.recent.filter(({ alertId }) => alertId === chosen),
    'Nothing has happened yet.',
  );
}

/** `/alerts/ID`, the link in a notification: what happened last is that of one alert. */
function chosenAlert() {
  return /^\/alerts\/([\w.-]+)$/.exec(location.pathname)?.[1] ?? null;
}

function showList(id, alerts, empty) {
  const items = alerts.slice(0, MOST_SHOWN).map(alertItem);
  if (items.length === 0) items.push(el('li', { className: 'empty', text: empty }));
  if (alerts.length > MOST_SHOWN)
    items.push(el('li', { className: 'empty', text: `and ${alerts.length - MOST_SHOWN} more` }));
  $(id).replaceChildren(...items);
}

function takeAlert(alert) {
  state.recent.unshift(alert);
  state.recent.length = Math.min(state.recent.length, 200);
  state.active.delete(alert.alertId);
  if (FIRES.has(alert.state)) state.active.set(alert.alertId, alert);
}

function rows(id, list, empty) {
  const made = list.map(([name, value, bad]) =>
    el('tr', {}, [el('td', { text: name }), el('td', { className: bad ? 'n bad' : 'n', text: value })]),
  );
  $(id).replaceChildren(...(made.length > 0 ? made : [el('tr', {}, [el('td', { className: 'quiet', text: empty })])]));
}

function lossesOf(counters) {
  const loss = /drop|refused|late|error|damaged|gap|failure|rejected|lost|quarantin|overflow/;
  const entries = Object.entries(counters ?? {}).filter(([name]) => loss.test(name));
  return entries.map(([name, value]) => [name.replace(/^weir_/, ''), short(value), true]);
}

function showStatus(status) {
  const { packets, rules, checkpoint, uptimeSeconds, rssBytes, eventLoopP99Ms } = status;
  const facts = [
    ['packets', short(packets)],
    ['rules', short(rules)],
    ['memory', bytes(rssBytes)],
  ];
  $('facts').replaceChildren(...facts.map(([name, value]) => el('li', {}, [el('b', { text: value }), ` ${name}`])));
  const age = checkpoint?.ageSeconds;
  rows(
    'vitals',
    [
      ['event time', status.eventTime ? timeText(status.eventTime) : '–'],
      ['up for', `${short(Math.floor(uptimeSeconds / 60))} min`],
      ...(age === undefined || age === null ? [] : [['checkpoint, age', `${Math.round(age)} s`, age > 120]]),
      ...(eventLoopP99Ms === undefined
        ? []
        : [['event loop delay, p99', `${eventLoopP99Ms} ms`, eventLoopP99Ms > 500]]),
      ...(status.sources ?? []).map(({ name, done, error }) => [
        `source ${name}`,
        error ? error.message : done ? 'read' : 'on',
        !!error,
      ]),
    ],
    '',
  );
  rows('losses', lossesOf(status.counters), 'nothing');
  rows(
    'channels',
    (status.outbox ?? []).map(({ channel, waiting, done, dead }) => [
      channel,
      `${done} delivered, ${waiting} waiting${dead ? `, ${dead} given up` : ''}`,
      dead > 0,
    ]),
    'none configured',
  );
}

function showTalkers(talkers) {
  const made = talkers.map(({ address, sent, received, flows }) =>
    el('tr', {}, [
      el('td', { text: address }),
      el('td', { className: 'n', text: bytes(sent) }),
      el('td', { className: 'n', text: bytes(received) }),
      el('td', { className: 'n', text: short(flows) }),
    ]),
  );
  const empty = el('tr', {}, [el('td', { className: 'quiet', text: 'no traffic with addresses yet' })]);
  document.querySelector('#talkers tbody').replaceChildren(...(made.length > 0 ? made : [empty]));
}

function showSeriesNames(list) {
  const select = $('series');
  const names = list.map(({ name }) => name);
  if (names.join() === [...select.options].map(({ value }) => value).join()) return;
  select.replaceChildren(...names.map((name) => el('option', { text: name })));
  const preferred =
    names.find((name) => name.startsWith('interface/')) ?? names.find((name) => name.startsWith('total')) ?? names[0];
  state.name = names.includes(state.name) ? state.name : (preferred ?? null);
  if (state.name) select.value = state.name;
}

/** Measured points, then the forecast, on one time axis. */
function columns(points, forecast) {
  const path = forecast.points ?? [];
  const x = [...points.map(([time]) => time), ...path.map(({ timeUs }) => timeUs / 1e6)];
  const gap = (count) => new Array(count).fill(null);
  const part = (field) => [...gap(points.length), ...path.map((point) => point[field])];
  return [
    x,
    [...points.map(([, value]) => value), ...gap(path.length)],
    part('low95'),
    part('high95'),
    part('low80'),
    part('high80'),
    part('expected'),
  ];
}

/** `10-29` at midnight, else `12:00`. */
function clock(_, ticks) {
  return ticks.map((tick) => {
    const iso = new Date(tick * 1e3).toISOString();
    return iso.slice(11, 16) === '00:00' ? iso.slice(5, 10) : iso.slice(11, 16);
  });
}

let plot = null;
function draw(data, unit) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--quiet'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line') },
  };
  const edge = { stroke: 'transparent', points: { show: false } };
  plot?.destroy();
  $('plot').replaceChildren();
  plot = new uPlot(
    {
      width: $('plot').clientWidth,
      height: 260,
      tzDate: (time) => uPlot.tzDate(new Date(time * 1e3), 'UTC'),
      cursor: { y: false },
      axes: [
        { ...axis, values: clock },
        { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => short(tick)) },
      ],
      scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high ?? 1) * 1.08 || 1] } },
      series: [
        {},
        { stroke: colour('--accent'), width: 1.5, points: { show: false } },
        edge,
        edge,
        edge,
        edge,
        { stroke: colour('--accent'), width: 1.5, dash: [5, 4], points: { show: false } },
      ],
      bands: [
        { series: [3, 2], fill: colour('--fan') },
        { series: [5, 4], fill: colour('--fan') },
      ],
    },
    data,
    $('plot'),
  );
  $('legend').textContent =
    `${unit ? `${unit}; ` : ''}line: measured; dashes: forecast of a day; areas: it stays within them with 80 % and 95 % probability`;
}

async function showLoad() {
  if (!state.name) return;
  const name = encodeURIComponent(state.name);
  const { points } = await get(`/api/series?name=${name}`);
  const forecast = await get(`/api/forecast?name=${name}&steps=${FORECAST_STEPS}`).catch(() => ({ points: [] }));
  const ahead = forecast.points?.length ?? 0;
  draw(columns(points.slice(-Math.max(FORECAST_STEPS * 3, 300)), forecast), unitOf(state.name));
  if (ahead === 0) $('legend').textContent += ' (none yet: too little history)';
}

async function refresh() {
  const [status, talkers, { series }] = await Promise.all([
    get('/api/status'),
    get('/api/talkers'),
    get('/api/series'),
  ]);
  showStatus(status);
  showTalkers(talkers);
  showSeriesNames(series);
  await showLoad();
}

async function loadAlerts() {
  const { active, recent } = await get('/api/alerts');
  state.active = new Map(active.map((alert) => [alert.alertId, alert]));
  state.recent = recent;
  showAlerts();
}

/** However many events come, the page is drawn a few times a second at most. */
let drawing = false;
function later() {
  if (drawing) return;
  drawing = true;
  setTimeout(() => {
    drawing = false;
    showAlerts();
  }, 250);
}

function listen() {
  const events = new EventSource('/api/events');
  events.addEventListener('open', () => {
    $('now').textContent = 'live';
    $('now').className = '';
    loadAlerts().catch(failed);
  });
  events.addEventListener('error', () => failed(new Error('no connection; trying again')));
  events.addEventListener('alert', ({ data }) => {
    takeAlert(JSON.parse(data));
    later();
  });
}

function failed(error) {
  $('now').textContent = error.message;
  $('now').className = 'bad';
}

$('series').addEventListener('change', ({ target }) => {
  state.name = target.value;
  showLoad().catch(failed);
});
addEventListener('resize', () => plot?.setSize({ width: $('plot').clientWidth, height: 260 }));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => showLoad().catch(failed));
listen();
refresh().catch(failed);
setInterval(() => refresh().catch(failed), 5000);
