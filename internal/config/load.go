package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

const prefix = "CAREGRAPH_"

// foreign are prefixed names of others: switches of the project's tests, and what Kubernetes puts into the environment of every
// container when a service is called caregraph.
var foreign = regexp.MustCompile(`^CAREGRAPH_(LONG|REQUIRE_POSTGRES|REQUIRE_STRIPE_MOCK|SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

// Sources are the places where values come from.
type Sources struct {
	Flags   map[string]string // by the setting's name; an empty value counts as not given
	Environ []string          // as os.Environ returns it
	File    string            // of lines NAME=value; empty = none
}

// settingName is what stands before the = of a line. Anything else is not repeated in a problem: it may be the rest of a secret that
// was broken over two lines.
var settingName = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

// given is a value and the place it came from.
type given struct {
	value string
	from  string
}

// Load returns the settings, or all problems with them joined into one error.
func Load(from Sources) (Config, error) {
	values := map[string]given{}
	var problems []error
	if from.File != "" {
		problems = append(problems, readFile(from.File, values)...)
	}
	problems = append(problems, readEnviron(from.Environ, values)...)
	for _, name := range slices.Sorted(maps.Keys(from.Flags)) {
		problems = append(problems, put(values, name, given{from.Flags[name], "flag"})...)
	}

	var c Config
	for _, s := range settings {
		v, ok := values[s.Name]
		if !ok {
			v = given{s.Default, "default"}
			if s.isDerived || s.Default == "" {
				continue
			}
		}
		if err := s.set(&c, v.value); err != nil {
			problems = append(problems, fmt.Errorf("%s %w (%s)", s.Name, err, v.from))
		}
	}
	_, isMigrateGiven := values["MIGRATE"]
	problems = append(problems, c.complete(isMigrateGiven)...)
	if err := errors.Join(problems...); err != nil {
		return Config{}, err
	}
	return c, nil
}

// put notes a value, unless it is empty. An unknown name is a problem.
func put(values map[string]given, name string, v given) []error {
	if !isKnown(name) {
		return []error{fmt.Errorf("%s is not a setting (%s)", name, v.from)}
	}
	if v.value != "" {
		values[name] = v
	}
	return nil
}

func isKnown(name string) bool {
	return slices.ContainsFunc(settings, func(s setting) bool { return s.Name == name })
}

// readEnviron notes the variables that are settings, the bare names first, so that the prefixed ones win.
func readEnviron(environ []string, values map[string]given) (problems []error) {
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); isKnown(name) {
			problems = append(problems, put(values, name, given{value, "environment"})...)
		}
	}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		bare, isOurs := strings.CutPrefix(name, prefix)
		switch {
		case !isOurs:
		case isKnown(bare):
			problems = append(problems, put(values, bare, given{value, "environment, " + name})...)
		case !foreign.MatchString(name):
			problems = append(problems, fmt.Errorf("%s is not a setting (environment)", name))
		}
	}
	return problems
}

// readFile notes the lines NAME=value of the file. Blank lines and lines that begin with # are left out; a value may stand in quotes.
func readFile(path string, values map[string]given) (problems []error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return []error{fmt.Errorf("the configuration file cannot be read: %w", err)}
	}
	seen := map[string]bool{}
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(string(content), "\ufeff")) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		at := fmt.Sprintf("%s, line %d", path, number)
		name, value, isPair := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		switch {
		case !isPair, !settingName.MatchString(name):
			problems = append(problems, fmt.Errorf("a line must be NAME=value (%s)", at))
		case seen[name]:
			problems = append(problems, fmt.Errorf("%s is given twice (%s)", name, at))
		default:
			seen[name] = true
			problems = append(problems, put(values, name, given{unquote(strings.TrimSpace(value)), at})...)
		}
	}
	return problems
}

func unquote(value string) string {
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		return value[1 : n-1]
	}
	return value
}
