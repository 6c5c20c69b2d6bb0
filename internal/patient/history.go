package patient

import (
	"time"

	"github.com/google/uuid"
)

// RecordChange is a change of one field of a record.
type RecordChange struct {
	Field     string
	Old, New  *string
	ChangedBy *uuid.UUID // nil when the system did, or the viewer may not see the account
	ChangedAt time.Time
}
