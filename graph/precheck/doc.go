// Package precheck bounds what a GraphQL document may ask for, before and after validation.
//
// Rules, each with a test that names it:
//
//  1. Document runs before validation and takes time linear in the text, whatever fragments multiply to: counters are
//     memoised per fragment and saturate, everything that expands fragments runs on a budget.
//  2. A document that passes Document is validated within a bounded number of steps too. gqlparser walks every fragment
//     again from every definition that reaches it, compares all fields of one response name pair by pair, and measures
//     every misspelt name against the schema's names: Visits, Merges and Mistakes count exactly that.
//  3. A connection costs its page size times its edges. Directives are ignored: @skip and @include do not make a
//     query cheaper.
//  4. A connection always has a page size from 1 to Limits.MaxPage; without first and last it is first:
//     Limits.DefaultPage. The default is written into the document once, before the document is cached and shared.
//  5. Introspection passes: below __schema and __type depth has a bound of its own and nothing costs.
//
// The schema handed to New is the one of the executor.
package precheck
