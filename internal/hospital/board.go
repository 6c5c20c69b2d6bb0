package hospital

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/bed"
	"github.com/caregraph/caregraph/ent/stay"
	"github.com/caregraph/caregraph/ent/ward"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
)

const (
	maxPlaces  = 1000
	bedsTopic  = "beds:" // of a ward, by id
	allOfBeds  = bedsTopic + "*"
	boardState = "BedBoard"
)

// Board tells who looks at a ward's beds who lies in them. Every change of a stay, a bed or a ward by the client that it was made with is heard of, whoever
// makes it.
type Board struct {
	db      *store.DB
	streams *stream.Log
}

// NewBoard returns the board of the database and has its client tell of changes from then on.
func NewBoard(db *store.DB, streams *stream.Log) *Board {
	b := &Board{db: db, streams: streams}
	db.Client.Stay.Use(b.hear)
	db.Client.Bed.Use(b.hear)
	db.Client.Ward.Use(b.hear)
	return b
}

// Watch is the source of a ward's beds, at most 1,000: as they are now, and again whenever that has changed. It is for who works with beds. Errors of the source:
// NOT_FOUND, FORBIDDEN.
func (b *Board) Watch(wardID uuid.UUID) (stream.Source, error) {
	return &stream.LatestSource{
		Log: b.streams, Topic: bedsTopic + wardID.String(), Kind: boardState,
		Load: func(ctx context.Context) (stream.State, error) { return b.state(ctx, wardID) },
		Access: func(ctx context.Context) error {
			if !worksWithBeds(ctx) {
				return fault.ErrForbidden
			}
			isThere, err := b.db.Client.Ward.Query().Where(ward.ID(wardID)).Exist(ctx)
			if err != nil || !isThere {
				return orNotFound(err, "wardId")
			}
			return nil
		},
	}, nil
}

// state reads who lies where: beds in use and those in which somebody lies.
func (b *Board) state(ctx context.Context, wardID uuid.UUID) (stream.State, error) {
	shown := &BedBoard{WardID: wardID}
	of, err := b.db.Client.Ward.Get(ctx, wardID)
	if err != nil {
		return stream.State{}, err
	}
	stays, err := b.db.Client.Stay.Query().Where(stay.WardID(wardID), stay.ToAtIsNil()).All(ctx)
	if err != nil {
		return stream.State{}, err
	}
	taken := make(map[uuid.UUID]*ent.Stay, len(stays))
	for _, one := range stays {
		taken[one.BedID] = one
	}
	beds, err := b.db.Client.Bed.Query().Where(bed.WardID(wardID), func(q *sql.Selector) {
		lying := sql.Dialect(q.Dialect()).Select(stay.FieldBedID).From(sql.Table(stay.Table)).Where(sql.IsNull(stay.FieldToAt))
		q.Where(sql.Or(sql.EQ(q.C(bed.FieldIsActive), true), sql.In(q.C(bed.FieldID), lying)))
	}).Order(bed.ByNumber(), bed.ByID()).Limit(maxPlaces).All(ctx)
	if err != nil {
		return stream.State{}, err
	}
	hash := sha256.New()
	shown.Places = make([]BedPlace, len(beds))
	for i, one := range beds {
		in := taken[one.ID]
		shown.Places[i] = BedPlace{Bed: one, Stay: in, IsFree: of.IsActive && one.IsActive && in == nil}
		_, _ = fmt.Fprintln(hash, one.ID, one.Version, in != nil && in.ID != uuid.Nil, shown.Places[i].IsFree)
		if in != nil {
			_, _ = fmt.Fprintln(hash, in.ID)
		}
	}
	return stream.State{Value: shown, Digest: string(hash.Sum(nil))}, nil
}

// As returns the board with the stays, and the patients and admissions of them, that the viewer may see: in four statements, however many beds there are.
func (b *Board) As(ctx context.Context, shown BedBoard) (*BedBoard, error) {
	visible, err := b.visible(ctx, shown)
	if err != nil {
		return nil, err
	}
	of, err := b.db.Client.Ward.Query().Where(ward.ID(shown.WardID)).Only(ctx)
	if err := ent.MaskNotFound(err); err != nil {
		return nil, err
	}
	shown.Places = slices.Clone(shown.Places) // which other readers have too
	for i, p := range shown.Places {
		in := *p.Bed
		in.Edges.Ward = of
		shown.Places[i].Bed = &in
		if p.Stay == nil {
			continue
		}
		lies := visible[p.Stay.ID]
		if shown.Places[i].Stay = lies; lies != nil {
			lies.Edges.Bed, lies.Edges.Ward = &in, of
		}
	}
	return &shown, nil
}

// visible reads the board's stays as the viewer.
func (b *Board) visible(ctx context.Context, shown BedBoard) (map[uuid.UUID]*ent.Stay, error) {
	var ids []uuid.UUID
	for _, p := range shown.Places {
		if p.Stay != nil {
			ids = append(ids, p.Stay.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	stays, err := b.db.Client.Stay.Query().Where(stay.IDIn(ids...)).WithPatient().WithAdmission().All(ctx)
	visible := make(map[uuid.UUID]*ent.Stay, len(stays))
	for _, one := range stays {
		visible[one.ID] = one
	}
	return visible, err
}

type toldKey struct{}

// changed says, in the transaction that changes them, that beds of the ward may be others; of all wards when the id is zero.
func (b *Board) changed(ctx context.Context, wardID uuid.UUID) error {
	told, err := store.Buffer(ctx, toldKey{}, func() map[string]struct{} { return map[string]struct{}{} })
	if err != nil {
		return err
	}
	topic := allOfBeds
	if wardID != uuid.Nil {
		topic = bedsTopic + wardID.String()
	}
	if _, isTold := told[topic]; !isTold {
		told[topic] = struct{}{}
		store.AfterCommit(ctx, func(context.Context) { b.streams.Touch(topic) })
	}
	return nil
}

// hear is the hook of stays, beds and wards.
func (b *Board) hear(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		value, err := next.Mutate(ctx, m)
		if err == nil {
			err = b.changed(ctx, wardOf(value))
		}
		return value, err
	})
}

// wardOf is the ward that a mutation was about; zero when that may have been any.
func wardOf(value ent.Value) uuid.UUID {
	switch row := value.(type) {
	case *ent.Stay:
		return row.WardID
	case *ent.Bed:
		return row.WardID
	case *ent.Ward:
		return row.ID
	default: // the number of rows
		return uuid.Nil
	}
}
