// Package cloudclitest is a cloud that stands in for AWS and Google: it keeps in a file what the aws and gcloud commands
// tell it, and answers from that.
package cloudclitest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The environment of the cloud.
const (
	StateFile = "CLOUD_STATE" // where it keeps what it has
	LogFile   = "CLOUD_LOG"   // where it writes down what it is told, a JSON list a line
	Failing   = "CLOUD_FAILS" // words of a call that it fails
)

// skeleton asks whether a command knows an operation, and calls nothing.
const skeleton = "generate-cli-skeleton"

// Main answers the call that this program, which is called "aws" or "gcloud", is told, and is its exit code.
func Main() int {
	switch filepath.Base(os.Args[0]) {
	case "aws":
		return pretend(fakeAWS)
	case "gcloud":
		return pretend(fakeGoogle)
	}
	return 2
}

// Call is what a command line is told.
type Call struct {
	Words []string            // before the first flag
	Flags map[string][]string // what follows each flag
	Args  []string            // all, as they were told
}

// Parse reads the words after a program's name.
func Parse(args []string) Call {
	c := Call{Flags: map[string][]string{}, Args: args}
	last := ""
	for _, a := range args {
		name, isFlag := strings.CutPrefix(a, "--")
		if name, value, ok := strings.Cut(name, "="); isFlag && ok {
			c.Flags[name] = append(c.Flags[name], value)
			last = ""
			continue
		}
		switch {
		case isFlag:
			last = name
			c.Flags[last] = []string{}
		case last == "":
			c.Words = append(c.Words, a)
		default:
			c.Flags[last] = append(c.Flags[last], a)
		}
	}
	return c
}

func (c Call) one(flag string) string {
	if v := c.Flags[flag]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func (c Call) has(flag string) bool { _, ok := c.Flags[flag]; return ok }

// Changes reports whether a call is one that changes something.
func (c Call) Changes() bool {
	verbs := []string{"describe", "list", "get-health", "wait"}
	reads := func(w string) bool {
		return slices.ContainsFunc(verbs, func(v string) bool { return strings.HasPrefix(w, v) })
	}
	return !c.has(skeleton) && !slices.ContainsFunc(c.Words, reads)
}

// pretend answers one call from the state in the file.
func pretend(answer func(*cloud, Call) (string, error)) int {
	c := Parse(os.Args[1:])
	line, err := json.Marshal(os.Args[1:])
	if err == nil {
		err = appendLine(os.Getenv(LogFile), line)
	}
	var state cloud
	if data, readErr := os.ReadFile(os.Getenv(StateFile)); err == nil && readErr == nil {
		err = json.Unmarshal(data, &state)
	}
	if fails := os.Getenv(Failing); fails != "" && strings.Contains(strings.Join(os.Args[1:], " "), fails) &&
		strings.HasPrefix(fails, "--") == c.has(skeleton) {
		err = errors.New("the cloud fails this call")
	}
	out := ""
	if err == nil {
		out, err = answer(&state, c)
	}
	if err == nil {
		var data []byte
		if data, err = json.MarshalIndent(state, "", " "); err == nil {
			err = os.WriteFile(os.Getenv(StateFile), data, 0o600)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, filepath.Base(os.Args[0])+":", err)
		return 254
	}
	fmt.Print(out)
	return 0
}

func appendLine(path string, line []byte) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// things are what a cloud has of one kind, in the order of their making.
type things []map[string]any

// cloud is all that a cloud has.
type cloud struct {
	Made int               // so far: identifiers are numbered
	Have map[string]things // by kind
}

func (s *cloud) add(kind string, thing map[string]any) {
	if s.Have == nil {
		s.Have = map[string]things{}
	}
	s.Have[kind] = append(s.Have[kind], thing)
}

func (s *cloud) where(kind, field, value string) things {
	out := things{}
	for _, t := range s.Have[kind] {
		if fmt.Sprint(t[field]) == value {
			out = append(out, t)
		}
	}
	return out
}

// drop deletes the things of a kind whose field has a value, and fails where there are none.
func (s *cloud) drop(kind, field, value string) error {
	before := len(s.Have[kind])
	s.Have[kind] = slices.DeleteFunc(s.Have[kind], func(t map[string]any) bool { return fmt.Sprint(t[field]) == value })
	if len(s.Have[kind]) == before {
		return fmt.Errorf("no %s has %s %s", kind, field, value)
	}
	return nil
}

func (s *cloud) id(prefix string) string {
	s.Made++
	return fmt.Sprintf("%s%08x", prefix, s.Made)
}

// Kinds says how many things of each kind a cloud has, but for those that come and go with others.
func Kinds(state string) string {
	var s cloud
	if err := json.Unmarshal([]byte(state), &s); err != nil {
		return err.Error()
	}
	var out []string
	for kind, have := range s.Have {
		if len(have) > 0 && kind != "attributes" && kind != "registered" {
			out = append(out, fmt.Sprint(len(have), " ", kind))
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
