// Package transport serves GraphQL over HTTP: POST, and GET for queries, as the GraphQL-over-HTTP specification asks; and over websockets,
// where subscriptions are, as graphql-transport-ws asks, or over Server-Sent Events, as the mode "distinct connections" of graphql-sse asks.
//
// Rules of HTTP, each with a test that names it:
//
//  1. The answer is application/graphql-response+json or application/json, whichever the client prefers; */* and no
//     Accept at all mean application/json. Nothing acceptable is 406.
//  2. A request that is not well-formed is 400 for every client. One that is, but fails before it is executed, is 400 as
//     application/graphql-response+json and 200 as application/json, except where HTTP has a better word: 429, 503.
//  3. What a browser sends without a preflight changes nothing and reads nothing with a cookie: POST takes only JSON and
//     GraphQL content types, GET with a cookie wants a header that a form cannot set. GET runs queries alone.
//  4. Every error carries extensions.code and extensions.requestId. No answer repeats the request.
//  5. Bodies are bounded; batches are refused; members that are not known are ignored.
//  6. The data of a response is written as it is, without another pass of JSON.
//
// Rules of websockets:
//
//   - What the protocol does not allow closes the socket with the protocol's code. A client that is to come back is told 1001 or 1013, which
//     client libraries take as a reason to connect again.
//   - Subscriptions pull: a wake marks one as dirty, and the socket's worker reads its feed, asks whether the session is still what it was, and
//     writes, until the feed is empty. The question comes after the reading, so that nothing committed after a revocation is delivered.
//   - An idle socket costs one goroutine and no write buffer. All are looked after by one more.
//   - Whatever waits is bounded: operations, frames, bytes. A client that does not read is cut off, and one whose subscription stays behind is told
//     SLOW_CONSUMER with the cursor to go on from.
//   - The end of a session silences its operations at once and closes the socket within a second, also past a writer that is stuck.
//   - After complete or error nothing is sent for an operation, and its id is free.
//
// Rules of event streams, which are sockets with one subscription and another wire, so that sources, feeds, fences, limits and shared executions are the same:
//
//   - An event's id is its cursor; Last-Event-ID goes on behind it, whatever the argument after says.
//   - What a client is told of an operation are the events next and complete; errors come as a result, and nothing but complete follows them. A stream that
//     ends without complete is to be opened again: the server stops, or the client was too slow to be told so.
//   - The end of the session is told as a result with SESSION_EXPIRED, at once and on every instance.
//   - A cookie counts only from the site itself or an origin on the CORS list. GET runs no mutation.
//   - A comment is sent when nothing else was for a while; where the system can, a peer that does not acknowledge it is given up within 30 seconds.
package transport
