package precheck

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

type queryCache struct {
	c    *Checker
	docs *lru.Cache[string, *ast.QueryDocument]
}

// NewQueryCache returns the executor's cache of validated documents, size of them at most, none longer than 16 KiB.
// It writes the default page sizes into every document before it is shared. An executor without this cache leaves
// connections without a page size.
func NewQueryCache(size int, c *Checker) graphql.Cache[*ast.QueryDocument] {
	docs, err := lru.New[string, *ast.QueryDocument](size)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return &queryCache{c: c, docs: docs}
}

// Get returns the document of a text.
func (q *queryCache) Get(_ context.Context, query string) (*ast.QueryDocument, bool) {
	return q.docs.Get(query)
}

// Add completes a document that was just validated, and keeps it.
func (q *queryCache) Add(_ context.Context, query string, doc *ast.QueryDocument) {
	q.c.DefaultPages(doc)
	if len(query) <= maxKeptText {
		q.docs.Add(query, doc)
	}
}
