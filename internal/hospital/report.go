package hospital

import (
	"context"
	"sync/atomic"
)

// Report is what who starts the job of daily charges is told of it, besides the counts: the scheduler hands the ctx of who started a run to the job.
type Report struct {
	// Progress is told what the run has come to after each batch; nil = nobody looks.
	Progress func(ChargeTotals)

	result atomic.Pointer[ChargeResult]
}

// Result returns what the run came to; nil while it goes on, and when it failed.
func (r *Report) Result() *ChargeResult { return r.result.Load() }

type reportKey struct{}

// WithReport returns a ctx in which the job of daily charges reports.
func WithReport(ctx context.Context, r *Report) context.Context {
	return context.WithValue(ctx, reportKey{}, r)
}

// reportOf returns the report of who started the run; one that nobody reads when the clock did.
func reportOf(ctx context.Context) *Report {
	if r, ok := ctx.Value(reportKey{}).(*Report); ok {
		return r
	}
	return &Report{}
}
