PRAGMA user_version=1;
CREATE TABLE decision ( id TEXT PRIMARY KEY, model TEXT NOT NULL, release TEXT NOT NULL, release_digest TEXT NOT NULL, environment TEXT NOT NULL, channel TEXT NOT NULL, key TEXT NOT NULL, happened_at TEXT NOT NULL, at TEXT NOT NULL, inputs TEXT NOT NULL, output TEXT NOT NULL, latency_us INTEGER NOT NULL ) WITHOUT ROWID;
CREATE TABLE outcome ( model TEXT NOT NULL, key TEXT NOT NULL, label REAL NOT NULL, boolean INTEGER NOT NULL, at TEXT NOT NULL, PRIMARY KEY (model, key) ) WITHOUT ROWID;
CREATE INDEX decision_by_time ON decision (model, environment, happened_at);
INSERT INTO decision VALUES ('01kb000000000000000000000a', 'flight-delays', 'flight-delays:3', 'sha256:e59625a822497c164d60705eb3fd6975c375ca213b8140137a826a77790986a9', 'prod', 'http', '{"flight":11}', '2026-11-23T12:00:00.000000Z', '2026-11-23T12:00:00.000001Z', '{"origin":"JFK","distance":719.0,"é":null}', '{"prediction":true,"probability":0.30000000000000004,"reasons":["origin"]}', 812);
INSERT INTO outcome VALUES ('flight-delays', '{"flight":11}', 1.0, 1, '2026-11-23T12:00:00.000000Z');
INSERT INTO outcome VALUES ('flight-delays', '{"flight":12}', 0.5, 0, '2026-11-23T12:00:00.000000Z');
