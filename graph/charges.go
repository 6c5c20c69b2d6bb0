package graph

import (
	"github.com/caregraph/caregraph/graph/model"
	"github.com/caregraph/caregraph/internal/hospital"
)

// chargesPayload shows what chargeAdmissions came to.
func chargesPayload(done *hospital.ChargeRun) *model.ChargeAdmissionsPayload {
	payload := &model.ChargeAdmissionsPayload{Entries: []*hospital.ChargeEntry{}, Skipped: []*hospital.ChargeSkip{}, Failed: []*hospital.ChargeFailed{}}
	if done == nil {
		return payload
	}
	payload.Date = &done.Date
	if done.Run != nil {
		payload.Run = done.Run
	}
	if done.Result == nil {
		return payload
	}
	if !done.IsPart {
		payload.Totals = &done.Result.Totals
	}
	payload.Entries, payload.Skipped, payload.Failed = pointers(done.Result.Entries), pointers(done.Result.Skipped), pointers(done.Result.Failed)
	return payload
}

func pointers[T any](list []T) []*T {
	shown := make([]*T, len(list))
	for i := range list {
		shown[i] = &list[i]
	}
	return shown
}
