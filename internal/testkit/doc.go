// Package testkit is what the tests of all packages stand on: fresh migrated databases of both engines, a fake clock, rows to start
// from, viewers, a GraphQL client over HTTP and over a websocket, a proxy that makes a network fail and a driver that makes a write fail.
// Below it: wsclient (the websocket client without tests), instances (the whole program several times in one process), process (the real
// program, to be killed) and nothinglost (the proof that a killed program loses nothing).
//
// Rules:
//   - A package that uses it has a TestMain that calls Main. SQLite always takes part; PostgreSQL does when TEST_DATABASE_URL names a
//     server or PostgreSQL's binaries are installed, from which a throw-away server is started at the first use.
//   - A run that leaves out an engine or the long tests says so in one line; CAREGRAPH_REQUIRE_POSTGRES=1 makes it fail instead,
//     CAREGRAPH_LONG=1 runs the long tests.
//   - Every database belongs to one test and is gone with it, so tests run in parallel.
//   - The clock stands at 2025-01-15T00:00:00Z, a Wednesday, 10:00 in Brisbane, until the test moves it.
package testkit
