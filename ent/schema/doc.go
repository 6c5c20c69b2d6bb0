// Package schema declares the entities: fields, edges, constraints and indexes, with the comments that become the API's descriptions. It holds no
// business flow and imports no domain.
package schema
