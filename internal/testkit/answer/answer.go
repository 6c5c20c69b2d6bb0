// Package answer reads what a GraphQL server answers, over HTTP or a websocket.
package answer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Answer is the result of one operation.
type Answer struct {
	Data   any // decoded; numbers are json.Number
	Errors []Fault
}

// Fault is one of the top-level errors.
type Fault struct {
	Message    string         `json:"message"`
	Path       []any          `json:"path"`
	Extensions map[string]any `json:"extensions"`
}

// Code returns the fault's code, or "".
func (f Fault) Code() string {
	code, _ := f.Extensions["code"].(string)
	return code
}

// Parse reads a result.
func Parse(body []byte) (Answer, error) {
	var parts struct {
		Data   any     `json:"data"`
		Errors []Fault `json:"errors"`
	}
	if err := decode(body, &parts); err != nil {
		return Answer{}, err
	}
	return Answer{Data: parts.Data, Errors: parts.Errors}, nil
}

// ParseFaults reads the payload of a websocket's error message.
func ParseFaults(body []byte) (faults []Fault, err error) {
	err = decode(body, &faults)
	return faults, err
}

func decode(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// Code returns the code of the first fault, or else of the first user error of a root field; "" when there is none.
func (a *Answer) Code() string {
	if len(a.Errors) > 0 {
		return a.Errors[0].Code()
	}
	roots, _ := a.Data.(map[string]any)
	for name := range roots {
		if code := a.Text(name + ".userErrors.0.code"); code != "" {
			return code
		}
	}
	return ""
}

// Get returns what stands in the data at a path like "bookAppointment.userErrors.0.code"; nil when nothing does.
func (a *Answer) Get(path string) any {
	at := a.Data
	for step := range strings.SplitSeq(path, ".") {
		switch here := at.(type) {
		case map[string]any:
			at = here[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(here) {
				return nil
			}
			at = here[i]
		default:
			return nil
		}
	}
	return at
}

// Text returns the scalar at the path as text; "" for null and for nothing.
func (a *Answer) Text(path string) string {
	if v := a.Get(path); v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// Int returns the number at the path; 0 when there is none.
func (a *Answer) Int(path string) int {
	n, _ := strconv.Atoi(a.Text(path))
	return n
}

// Len returns the length of the list at the path; 0 when there is none.
func (a *Answer) Len(path string) int {
	list, _ := a.Get(path).([]any)
	return len(list)
}
