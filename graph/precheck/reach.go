package precheck

import "github.com/caregraph/caregraph/internal/fault"

// reaches bounds what validation walks: it starts at every operation and at every fragment, and enters each fragment
// once from each start that reaches it. Mistakes are reported, with suggestions, each time they are walked.
func (r *run) reaches() *fault.Error {
	nodes, mistakes := 0, 0
	for _, start := range r.parts {
		seen := make(map[*part]bool, len(r.byName))
		todo := []*part{start}
		for len(todo) > 0 {
			p := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			nodes = min(ceiling, nodes+p.nodes)
			mistakes = min(ceiling, mistakes+p.mistakes)
			for name := range p.spreads {
				r.steps++
				if next := r.byName[name]; next != nil && !seen[next] {
					seen[next] = true
					todo = append(todo, next)
				}
			}
		}
	}
	switch {
	case nodes > r.c.limits.Visits:
		return tooMany("nodes to validate", r.c.limits.Visits)
	case mistakes > r.c.limits.Mistakes:
		return tooMany("unknown names and unfit values", r.c.limits.Mistakes)
	}
	return nil
}
