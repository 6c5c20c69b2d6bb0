package ids_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/ids"
)

var noon = time.Date(2025, time.January, 15, 12, 0, 0, 123456000, time.UTC)

// given lists the tags of records that may be stored somewhere: a line is added for a new entity, and none is ever changed or removed.
var given = map[string]byte{
	"User": 1, "Session": 2, "LoginAttempt": 3, "EmailToken": 4, "RateEvent": 5, "Patient": 6, "Practitioner": 7, "PractitionerCredential": 8,
	"CareRelation": 9, "Slot": 10, "Appointment": 11, "AppointmentIntake": 12, "AppointmentStatusChange": 13, "Order": 14, "PaymentEvent": 15,
	"Refund": 16, "SandboxCheckout": 17, "IdempotencyKey": 18, "AuditEvent": 19, "Notification": 20, "Delivery": 21, "Counter": 22,
	"Stream": 23, "StreamEntry": 24, "ChatRoom": 25, "ChatMessage": 26, "ChatRead": 27, "JobRun": 28,
	"ChatMessageVersion": 29, "ChatUpload": 30, "ChatAttachment": 31, "RecordOpening": 32,
	"Leave": 41, "Question": 42, "QuestionAnswer": 43,
	"SecondFactor": 36, "RecoveryCode": 37, "LinkCode": 38,
	"Ward": 50, "WardRate": 51, "Bed": 52, "Admission": 53, "AdmissionRecord": 54, "Stay": 55, "NhiaMembership": 56, "ChargeFailure": 57, "PatientHealth": 58,
	"Wallet": 60, "WalletTransaction": 61,
}

func TestTagsAreNeverChanged(t *testing.T) {
	t.Parallel()
	for entity, tag := range given {
		assert.Equal(t, tag, ids.Tags[entity], entity)
	}
	assert.Len(t, ids.Tags, len(given), "add the new tag to the list of this test")
}

func TestTagsAreUniqueAndComplete(t *testing.T) {
	t.Parallel()
	owner := map[byte]string{}
	for entity, tag := range ids.Tags {
		assert.NotZero(t, tag, "%s: an id without a tag has none", entity)
		assert.Empty(t, owner[tag], "%s has the tag of another entity", entity)
		owner[tag] = entity
	}
	for entity := range ent.Tables {
		assert.Contains(t, ids.Tags, entity)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for entity := range ids.Tags {
		id := ids.New(entity, noon)
		assert.Equal(t, uuid.Version(7), id.Version(), entity)
		assert.Equal(t, uuid.RFC4122, id.Variant(), entity)
		assert.Equal(t, entity, ids.Entity(id))
	}
	assert.Panics(t, func() { ids.New("Nobody", noon) })
}

func TestEntityOfOtherIDs(t *testing.T) {
	t.Parallel()
	random := uuid.New()
	random[15] = ids.Tags[ent.TypeUser]
	assert.Empty(t, ids.Entity(random), "another version")
	unknown := ids.New(ent.TypeUser, noon)
	unknown[15] = 255
	assert.Empty(t, ids.Entity(unknown), "a tag that is not given")
	assert.Empty(t, ids.Entity(uuid.Nil))
}

func TestOrder(t *testing.T) {
	t.Parallel()
	t.Run("ByInstant", func(t *testing.T) {
		t.Parallel()
		var g ids.Generator
		var made []uuid.UUID
		for i := range 1000 {
			made = append(made, g.New(ent.TypeUser, noon.Add(time.Duration(i)*7*time.Microsecond)))
		}
		assert.True(t, slices.IsSortedFunc(made, compare))
	})
	t.Run("AtOneInstant", func(t *testing.T) {
		t.Parallel()
		var g, other ids.Generator
		var made []uuid.UUID
		for range 5000 { // more than a millisecond holds
			made = append(made, g.New(ent.TypeUser, noon))
			other.New(ent.TypeUser, noon.Add(time.Hour))
		}
		assert.True(t, slices.IsSortedFunc(made, compare))
	})
	t.Run("TellsTheTime", func(t *testing.T) {
		t.Parallel()
		var g ids.Generator
		assert.Equal(t, noon.Truncate(time.Millisecond), milliseconds(g.New(ent.TypeUser, noon)))
	})
	t.Run("ClockSetBack", func(t *testing.T) {
		t.Parallel()
		var g ids.Generator
		g.New(ent.TypeUser, noon.Add(48*time.Hour))
		assert.Equal(t, noon.Truncate(time.Millisecond), milliseconds(g.New(ent.TypeUser, noon)), "a clock that was wrong once does no harm")
	})
}

func TestUniqueAmongGoroutines(t *testing.T) {
	t.Parallel()
	const makers, each = 200, 500
	lists := make([][]uuid.UUID, makers)
	var all sync.WaitGroup
	for i := range lists {
		all.Go(func() {
			for range each {
				lists[i] = append(lists[i], ids.New(ent.TypeUser, noon))
			}
		})
	}
	all.Wait()
	made := slices.Concat(lists...)
	require.Len(t, made, makers*each)
	slices.SortFunc(made, compare)
	assert.Len(t, slices.Compact(made), makers*each)
}

// Several instances of the program make ids at the same instants: their random bits tell them apart.
func TestUniqueAmongInstances(t *testing.T) {
	t.Parallel()
	made := map[uuid.UUID]bool{}
	for range 10000 {
		var g ids.Generator
		made[g.New(ent.TypeUser, noon)] = true
	}
	assert.Len(t, made, 10000)
}

func compare(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }

func milliseconds(id uuid.UUID) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8]) >> 16)).UTC()
}
