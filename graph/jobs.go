package graph

import (
	"maps"
	"slices"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/jobrun"
	"github.com/caregraph/caregraph/graph/model"
	"github.com/caregraph/caregraph/scheduler"
)

// runStatus is a state of the ledger in the words of all long work.
func runStatus(run *ent.JobRun) model.RunStatus {
	switch run.State {
	case jobrun.StateRUNNING:
		return model.RunStatusRunning
	case jobrun.StateFAILED:
		return model.RunStatusFailed
	case jobrun.StateSKIPPED:
		return model.RunStatusSkipped
	default:
		return model.RunStatusSucceeded
	}
}

// runProgress is 100 for what is done; of a job under way nobody can tell.
func runProgress(run *ent.JobRun) *int {
	if status := runStatus(run); status == model.RunStatusRunning || status == model.RunStatusFailed {
		return nil
	}
	all := 100
	return &all
}

func jobCounts(counts scheduler.Counts) []*model.JobCount {
	list := make([]*model.JobCount, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, &model.JobCount{Name: name, Count: counts[name]})
	}
	return list
}

func shownJobs(list []scheduler.Status) []*model.Job {
	shown := make([]*model.Job, len(list))
	for i, j := range list {
		shown[i] = &model.Job{
			Name: j.Name, Description: j.Description, Schedule: j.Schedule.String(), CatchUp: model.JobCatchUp(j.CatchUp),
			LastRun: j.LastRun, NextAt: j.NextAt, IsOverdue: j.IsOverdue, HasDryRun: j.DryRun != nil,
		}
	}
	return shown
}
