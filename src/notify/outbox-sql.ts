const WAITING_INFO = "state = 'waiting' AND json_extract(body, '$.alert.severity') = 'info'";
export const OUTBOX_SCHEMA = `
  CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    alert_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'dead')),
    attempts INTEGER NOT NULL,
    enqueued_at INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    last_error TEXT,
    remaining TEXT,
    answer TEXT,
    UNIQUE (channel, idempotency_key)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS outbox_state ON outbox (channel, state, seq);
  CREATE INDEX IF NOT EXISTS outbox_by_alert ON outbox (alert_id, channel, seq);
  CREATE INDEX IF NOT EXISTS outbox_info ON outbox (channel, seq) WHERE ${WAITING_INFO};
`;
/** A message waits for those before it of the same alert: nobody hears of an end before its beginning. */
const FIRST_OF_ALERT = `NOT EXISTS (
    SELECT 1 FROM outbox AS before WHERE before.channel = m.channel AND before.alert_id = m.alert_id
      AND before.seq < m.seq AND before.state = 'waiting')`;
export const DUE = `
  SELECT seq, alert_id, idempotency_key, body, attempts, enqueued_at, remaining FROM outbox AS m
  WHERE channel = ? AND state = 'waiting' AND next_at <= ? AND ${FIRST_OF_ALERT} ORDER BY seq LIMIT ?`;
export const NEXT = `
  SELECT seq, next_at FROM outbox AS m
  WHERE channel = ? AND state = 'waiting' AND ${FIRST_OF_ALERT} ORDER BY next_at LIMIT ?`;
export const THREAD = `
  SELECT idempotency_key FROM outbox
  WHERE channel = ? AND alert_id = ? AND seq < ? AND state = 'done' ORDER BY seq LIMIT 50`;
export const DEPTH = `
  SELECT count(*) AS waiting, min(enqueued_at) AS oldest FROM outbox WHERE channel = ? AND state = 'waiting'`;
export const STATS = `
  SELECT channel, sum(state = 'waiting') AS waiting, sum(state = 'done') AS done, sum(state = 'dead') AS dead,
    min(CASE WHEN state = 'waiting' THEN enqueued_at END) AS oldest
  FROM (
    SELECT channel, state, enqueued_at FROM outbox
    UNION ALL SELECT channel, 'waiting', enqueued_at FROM outbox_member WHERE message IS NULL)
  GROUP BY channel ORDER BY channel`;
export const TOLD_CHANNELS = `
  SELECT channel FROM outbox WHERE alert_id = ?1 UNION SELECT channel FROM outbox_member WHERE alert_id = ?1`;
const OLDEST = "SELECT min(seq) AS seq FROM outbox WHERE channel = ?1 AND state = 'waiting'";
/** Which message of a channel leaves when too many wait. */
export const TO_DROP = {
  drop_oldest: OLDEST,
  drop_info_first: `SELECT coalesce((SELECT min(seq) FROM outbox WHERE channel = ?1 AND ${WAITING_INFO}), (${OLDEST})) AS seq`,
  refuse_newest: "SELECT max(seq) AS seq FROM outbox WHERE channel = ?1 AND state = 'waiting'",
} as const;
