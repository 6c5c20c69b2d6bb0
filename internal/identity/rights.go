package identity

import (
	"context"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/stream"
)

// endData is what an entry of the rights stream tells of the end of a session.
type endData struct {
	Reason session.EndReason `json:"reason"`
}

// tellEnds tells all instances, with the transaction of ctx, that sessions which were live have been ended by a person. Ends by time are told by no one:
// every instance has a clock.
func (s *Service) tellEnds(ctx context.Context, reason session.EndReason, ids ...uuid.UUID) error {
	for _, id := range ids {
		if err := s.tellRights(ctx, stream.Entry{Kind: stream.RightsOfSession, Subject: id, Data: endData{Reason: reason}}); err != nil {
			return err
		}
	}
	return nil
}

// tellUser tells all instances that a user may do more or less than before, or is another viewer: by roles, address, record or profile.
func (s *Service) tellUser(ctx context.Context, id uuid.UUID) error {
	return s.tellRights(ctx, stream.Entry{Kind: stream.RightsOfUser, Subject: id})
}

func (s *Service) tellRights(ctx context.Context, e stream.Entry) error {
	if s.Streams == nil {
		return nil
	}
	e.Stream = stream.RightsStream
	return s.Streams.Append(access.System(ctx, "rights have changed"), e)
}
