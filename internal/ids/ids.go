// Package ids makes and reads the ids of all records: UUIDv7 (RFC 9562) whose last byte tells the entity, so that node(id) finds
// its table without probing. The tags are append-only: a tag once given is never given again.
package ids

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Tags maps each entity to the last byte of its ids. Append only.
var Tags = map[string]byte{
	"User":                    1,
	"Session":                 2,
	"LoginAttempt":            3,
	"EmailToken":              4,
	"RateEvent":               5,
	"Patient":                 6,
	"Practitioner":            7,
	"PractitionerCredential":  8,
	"CareRelation":            9,
	"Slot":                    10,
	"Appointment":             11,
	"AppointmentIntake":       12,
	"AppointmentStatusChange": 13,
	"Order":                   14,
	"PaymentEvent":            15,
	"Refund":                  16,
	"SandboxCheckout":         17,
	"IdempotencyKey":          18,
	"AuditEvent":              19,
	"Notification":            20,
	"Delivery":                21,
	"Counter":                 22,
	"Stream":                  23,
	"StreamEntry":             24,
	"ChatRoom":                25,
	"ChatMessage":             26,
	"ChatRead":                27,
	"JobRun":                  28,
	"ChatMessageVersion":      29,
	"ChatUpload":              30,
	"ChatAttachment":          31,
	"RecordOpening":           32,
	"Leave":                   41,
	"Question":                42,
	"QuestionAnswer":          43,
	"SecondFactor":            36,
	"RecoveryCode":            37,
	"LinkCode":                38,
	"Ward":                    50,
	"WardRate":                51,
	"Bed":                     52,
	"Admission":               53,
	"AdmissionRecord":         54,
	"Stay":                    55,
	"NhiaMembership":          56,
	"ChargeFailure":           57,
	"PatientHealth":           58,
	"Wallet":                  60,
	"WalletTransaction":       61,
}

var byTag = func() map[byte]string {
	m := make(map[byte]string, len(Tags))
	for name, tag := range Tags {
		m[tag] = name
	}
	return m
}()

// Entity returns the entity that id belongs to, or "" when id is not one of ours.
func Entity(id uuid.UUID) string {
	if id.Version() != 7 {
		return ""
	}
	return byTag[id[15]]
}

// Generator makes ids that ascend in the order in which they were made, as long as its clock does not step back by a second or more. Each
// clock needs a generator of its own.
type Generator struct {
	mu   sync.Mutex
	last int64 // microseconds of the newest id
}

var shared Generator

// New returns a new id of the program's shared generator; see Generator.New.
func New(entity string, now time.Time) uuid.UUID { return shared.New(entity, now) }

// New returns a new id for the entity: 48 bits of milliseconds, 12 bits of the millisecond's fraction, and random bits. Several ids of one instant run a
// few microseconds ahead of it. An entity without a tag panics.
func (g *Generator) New(entity string, now time.Time) uuid.UUID {
	tag, ok := Tags[entity]
	if !ok {
		panic("ids: entity without a tag: " + entity)
	}
	var id uuid.UUID
	_, _ = rand.Read(id[8:15]) // never fails: crypto/rand crashes the program instead
	micros := now.UnixMicro()
	g.mu.Lock()
	if micros <= g.last && g.last-micros < int64(time.Second/time.Microsecond) {
		micros = g.last + 1
	}
	g.last = micros
	g.mu.Unlock()
	binary.BigEndian.PutUint64(id[0:8], uint64(micros/1000)<<16|0x7000|uint64(micros%1000)<<2) // #nosec G115 -- instants after 1970
	id[8] = id[8]&0x3f | 0x80
	id[15] = tag
	return id
}
