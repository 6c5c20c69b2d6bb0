package nothinglost

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Plan tells the client what to do.
type Plan struct {
	URLs  []string // of the servers
	Dir   string   // where the logs go
	Rooms []Room
}

// Room is one conversation.
type Room struct {
	ID      string
	Writers []Person
	Readers []Person
}

// Person is a device with a session. Its name is unique in the plan.
type Person struct {
	Name, Token string
	OverEvents  bool // a reader of event streams, who goes on by Last-Event-ID
}

// Ack is one acknowledged message.
type Ack struct {
	Room, Writer, ClientID, ID string
	Number                     int // of the writer's messages, from 1
	Position                   int64
	Attempts                   int
	At, CreatedAt              time.Time
}

// Attempt is a sending that was not acknowledged.
type Attempt struct {
	Writer, ClientID, URL, Problem string
	SentAt, EndedAt                time.Time
}

// Event is one line of a reader's log.
type Event struct {
	Room, Reader, URL        string
	Kind, Cursor, Previous   string
	MessageID, ClientID      string
	Position                 int64 // of the message
	OpenedAfter, Lost, Fault string
	IsEventStream            bool // of an opening
}

// The logs' names.
const (
	acksLog     = "acks.jsonl"
	attemptsLog = "attempts.jsonl"
	eventsLog   = "events.jsonl"
)

// journal is a log of lines.
type journal struct {
	mu   sync.Mutex
	file *os.File
	out  *bufio.Writer
	sync bool
}

// newJournal creates a log. With sync every line is on the disk before add returns.
func newJournal(dir, name string, sync bool) (*journal, error) {
	file, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	return &journal{file: file, out: bufio.NewWriterSize(file, 64<<10), sync: sync}, nil
}

func (j *journal) add(line any) error {
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.out.Write(append(text, '\n')); err != nil || !j.sync {
		return err
	}
	return errors.Join(j.out.Flush(), j.file.Sync())
}

func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return errors.Join(j.out.Flush(), j.file.Close())
}

// Logs is what the client noted.
type Logs struct {
	Acks     []Ack
	Attempts []Attempt
	Events   []Event
}

// ReadLogs reads what the client has written in dir.
func ReadLogs(dir string) (l Logs, err error) {
	err = errors.Join(readLines(dir, acksLog, &l.Acks), readLines(dir, attemptsLog, &l.Attempts), readLines(dir, eventsLog, &l.Events))
	return l, err
}

func readLines[T any](dir, name string, into *[]T) error {
	file, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	decoder := json.NewDecoder(bufio.NewReader(file))
	for {
		var line T
		switch err := decoder.Decode(&line); {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF): // the last line may be under way
			return nil
		case err != nil:
			return err
		}
		*into = append(*into, line)
	}
}
