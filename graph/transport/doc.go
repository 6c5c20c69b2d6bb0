// Package transport serves GraphQL over HTTP: POST, and GET for queries, as the GraphQL-over-HTTP specification asks.
//
// Rules, each with a test that names it:
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
package transport
