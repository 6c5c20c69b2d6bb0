// Package testkit is what the tests of all packages stand on: fresh migrated databases of both engines, a fake clock, rows to start
// from, viewers, a GraphQL client, and a proxy that makes a network fail.
//
// Rules:
//   - A package that uses it has a TestMain that calls Main. SQLite always takes part; PostgreSQL does when TEST_DATABASE_URL names a
//     server or PostgreSQL's binaries are installed, from which a throw-away server is started at the first use.
//   - A run that leaves out an engine or the long tests says so in one line; CAREGRAPH_REQUIRE_POSTGRES=1 makes it fail instead,
//     CAREGRAPH_LONG=1 runs the long tests.
//   - Every database belongs to one test and is gone with it, so tests run in parallel.
//   - The clock stands at 2025-01-15T00:00:00Z, a Wednesday, 10:00 in Brisbane, until the test moves it.
package testkit
