// Package graph is the transport: it turns GraphQL documents into calls of the domains' services and their answers into responses. It holds no
// rules of its own beyond the limits of documents; who sees which rows is decided at the store (package access).
package graph
