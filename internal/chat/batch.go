package chat

import (
	"context"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/chatmessage"
	entstream "github.com/caregraph/caregraph/ent/stream"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
)

// store stores a group of sends in one transaction and returns the outcome of each, in order.
func (s *Service) store(ctx context.Context, batch []*send) (outcomes []outcome, err error) {
	err = s.DB.WithTx(ctx, func(ctx context.Context) error {
		outcomes, err = s.storeIn(ctx, batch)
		return err
	})
	return outcomes, err
}

// storeIn locks the rooms, judges every send by what then holds, and only after that takes positions, exactly as many as are needed.
func (s *Service) storeIn(ctx context.Context, batch []*send) ([]outcome, error) {
	var roomIDs []uuid.UUID
	for _, one := range batch {
		if ids.Entity(one.room) == ent.TypeChatRoom { // nobody locks other streams by naming them
			roomIDs = append(roomIDs, one.room)
		}
	}
	roomIDs = distinct(roomIDs)
	if err := s.DB.Lock(ctx, entstream.Table, roomIDs...); err != nil {
		return nil, err
	}
	rooms, err := s.roomsOf(ctx, roomIDs)
	if err != nil {
		return nil, err
	}
	known, err := s.sentBefore(ctx, batch)
	if err != nil {
		return nil, err
	}
	files, err := s.usable(ctx, batch)
	if err != nil {
		return nil, err
	}
	outcomes, accepted := judge(batch, rooms, known, files)
	if len(accepted) == 0 {
		return outcomes, nil
	}
	added := make([]*ent.ChatMessage, len(accepted))
	for i, n := range accepted {
		added[i] = outcomes[n].message
	}
	entries, err := s.place(ctx, rooms, added)
	if err != nil {
		return nil, err
	}
	if err := s.insert(ctx, added); err != nil {
		return nil, err
	}
	if err := s.bind(ctx, added); err != nil {
		return nil, err
	}
	events, err := s.Streams.Write(ctx, entries)
	if err != nil {
		return nil, err
	}
	if err := s.attach(ctx, batch, accepted, added); err != nil {
		return nil, err
	}
	for i, n := range accepted {
		if err := s.Audit.Record(behind(ctx, batch[n]), created(added[i])); err != nil {
			return nil, err
		}
	}
	store.AfterCommit(ctx, func(context.Context) { s.Streams.Publish(events...) })
	return outcomes, nil
}

func distinct(ids []uuid.UUID) []uuid.UUID {
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

// place gives the messages of each room, in order, their positions among its messages, and returns the entries of the logs that tell of them: of the
// room's, and of the inboxes of both participants.
func (s *Service) place(ctx context.Context, rooms map[uuid.UUID]roomState, added []*ent.ChatMessage) ([]stream.Entry, error) {
	counts := map[uuid.UUID]int{}
	for _, m := range added {
		counts[m.RoomID]++
	}
	needs := make([]stream.Need, 0, 3*len(counts))
	for room, n := range counts {
		needs = append(needs, stream.Need{Stream: room, Events: n, Items: n})
		for _, inbox := range rooms[room].inboxes() {
			needs = append(needs, stream.Need{Stream: inbox, Events: n})
		}
	}
	places, err := s.Streams.Reserve(ctx, needs)
	if err != nil {
		return nil, err
	}
	now := s.DB.Now()
	entries := make([]stream.Entry, 0, 3*len(added))
	for _, m := range added {
		m.ID, m.CreatedAt, m.Position = s.DB.NewID(ent.TypeChatMessage), now, places[m.RoomID].Items
		told := stream.Entry{Stream: m.RoomID, Kind: KindMessageAdded, Subject: m.ID, PatientID: m.PatientID, Value: m}
		for _, e := range append(inInboxes(rooms[m.RoomID], told), told) {
			next := places[e.Stream]
			e.Position = next.Position
			entries = append(entries, e)
			places[e.Stream] = stream.Place{Position: next.Position + 1, Items: next.Items + 1}
		}
	}
	return entries, nil
}

// bind makes the messages what a query would have returned, without asking: rows that know their client, so that their edges can be followed.
// That part of a row cannot be set from outside of ent, so it is taken from a row that was read, once per service.
func (s *Service) bind(ctx context.Context, added []*ent.ChatMessage) error {
	pattern := s.pattern.Load()
	if pattern == nil {
		var err error
		q := s.DB.Client.ChatMessage.Query().Where(chatmessage.ID(added[0].ID))
		if pattern, err = q.WithVersions().Only(ctx); err != nil { // none: the row says that it is known
			return err
		}
		s.pattern.Store(pattern)
	}
	for _, m := range added {
		row := *pattern
		row.ID, row.CreatedAt, row.RoomID, row.PatientID, row.PractitionerID = m.ID, m.CreatedAt, m.RoomID, m.PatientID, m.PractitionerID
		row.SenderID, row.SenderRole, row.Position, row.ClientMessageID = m.SenderID, m.SenderRole, m.Position, m.ClientMessageID
		row.Body, row.SearchKey = m.Body, m.SearchKey
		*m = row
	}
	return nil
}

// behind is ctx as the sender's own step of the group's transaction.
func behind(ctx context.Context, one *send) context.Context {
	return audit.WithRequest(access.As(ctx, one.viewer), one.request)
}

// created is the audit event of a message, as its row would leave it. The audit hashes the body.
func created(m *ent.ChatMessage) audit.Event {
	changes := []audit.Change{
		{Field: chatmessage.FieldRoomID, New: m.RoomID.String()}, {Field: chatmessage.FieldPatientID, New: m.PatientID.String()},
		{Field: chatmessage.FieldPractitionerID, New: m.PractitionerID.String()}, {Field: chatmessage.FieldSenderID, New: m.SenderID.String()},
		{Field: chatmessage.FieldSenderRole, New: string(m.SenderRole)}, {Field: chatmessage.FieldPosition, New: strconv.FormatInt(m.Position, 10)},
		{Field: chatmessage.FieldBody, New: m.Body},
	}
	if m.ClientMessageID != nil {
		changes = append(changes, audit.Change{Field: chatmessage.FieldClientMessageID, New: *m.ClientMessageID})
	}
	return audit.Event{Action: auditevent.ActionCREATE, Entity: ent.TypeChatMessage, EntityID: m.ID, PatientID: m.PatientID, Changes: changes}
}
