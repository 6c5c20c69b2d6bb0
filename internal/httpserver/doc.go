// Package httpserver is the program's face to the network: routes, middleware, health, metrics, webhooks, and the graceful stop. It
// holds no rule of a domain; what it needs is passed in.
//
// A request passes, from outside in: request id, client address and deadlines (begin.go); access log and metrics (observe.go);
// security headers; compression; recovery (recover.go); CORS; and, on the routes where somebody may be signed in, forgery protection,
// authentication (auth.go) and on /graphql the general request limit (limit.go). Recovery stands inside the log and inside
// compression, so that a panic is counted and logged as the 500 it is, and nothing buffered is sent as if it were whole.
//
// Rules the tests check:
//   - Forwarded headers and request ids count only when they come from a trusted proxy; of the addresses it passes on, the client is
//     the right-most one that is not a trusted proxy.
//   - A token that is not good does not fail the request: nobody is signed in, and access.Failure says why.
//   - The session cookie works only for requests from our own origin or one on the CORS list, websockets and event streams included.
//   - No set-up that would let any site read answers with a visitor's cookie gets past New.
//   - No token, body or query string is logged.
//   - /readyz answers within a second, whatever the check behind it does, and says no as soon as the server begins to stop.
//   - The limit's memory is bounded; no 60 seconds see more requests than it allows.
//   - A stop lets running requests finish for 15 seconds. Streams have no deadline of the server's and are told by Stopping.
package httpserver
