package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// The files that build keeps for itself in the output folder. A manifest also lies in the folder of each cluster of a fleet.
const (
	ownPrefix    = ".etcdlbgen."
	manifestName = ".etcdlbgen.json"      // what the last build wrote
	nextName     = ".etcdlbgen.next.json" // what a build is about to write; left behind only by one that was interrupted
	stageName    = ".etcdlbgen.stage"     // the new files, until they are renamed into place
	lockName     = ".etcdlbgen.lock"      // held by the build that is writing; has its process id
)

const manifestVersion = 1

// manifest lists the files that a build wrote below one folder.
type manifest struct {
	Version  int              `json:"version"`
	Clusters []string         `json:"clusters,omitempty"` // folders with a manifest of their own: the top of a fleet only
	Files    map[string]entry `json:"files"`              // by path below the manifest's folder, with slashes
}

// entry is one file as it was written.
type entry struct {
	SHA256 digest `json:"sha256"`
	Mode   perm   `json:"mode"`
	Target string `json:"target"` // the target that made it
}

// nextManifests are the manifests that a build is about to write, by their folder; "." is the output folder itself. The
// manifest of a cluster that left the fleet has no files.
type nextManifests struct {
	Version   int                 `json:"version"`
	Manifests map[string]manifest `json:"manifests"`
}

type digest [sha256.Size]byte

func (d digest) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(d[:])), nil }

func (d *digest) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(d)) {
		return fmt.Errorf("%q is no SHA-256 sum", text)
	}
	_, err := hex.Decode(d[:], text)
	return err
}

// perm is the permission bits of a file, in octal.
type perm fs.FileMode

func (p perm) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%04o", uint32(p)), nil }

func (p *perm) UnmarshalText(text []byte) error {
	bits, err := strconv.ParseUint(string(text), 8, 32)
	if err != nil || fs.FileMode(bits)&^fs.ModePerm != 0 {
		return fmt.Errorf("%q are no permission bits", text)
	}
	*p = perm(bits)
	return nil
}

// matches ignores the group's write bit: a checkout under umask 002 sets it, and version control does not record it.
// Windows has no such bits.
func (p perm) matches(mode fs.FileMode) bool {
	const groupWrite = 0o020
	return runtime.GOOS == "windows" || fs.FileMode(p)&^groupWrite == mode.Perm()&^groupWrite
}

// print writes one file a line, so that manifests diff and merge well. Its output is a function of the contents.
func (m manifest) print() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n  \"version\": %d,\n", manifestVersion)
	if len(m.Clusters) > 0 {
		names, _ := json.MarshalIndent(m.Clusters, "  ", "  ") // a list of strings always marshals
		fmt.Fprintf(&b, "  \"clusters\": %s,\n", names)
	}
	b.WriteString("  \"files\": {")
	sep := "\n"
	for _, p := range slices.Sorted(maps.Keys(m.Files)) {
		key, _ := json.Marshal(p) // as do a string
		file, _ := json.Marshal(m.Files[p])
		fmt.Fprintf(&b, "%s    %s: %s", sep, key, file)
		sep = ",\n"
	}
	if len(m.Files) > 0 {
		b.WriteString("\n  ")
	}
	b.WriteString("}\n}\n")
	return b.Bytes()
}

// parseManifest reads a manifest, which is untrusted input: its paths are checked here as text, and on disk by whoever
// uses them.
func parseManifest(data []byte) (manifest, error) {
	var m manifest
	if err := decodeStrict(data, &m); err != nil {
		return m, err
	}
	return m, m.fault()
}

// parseNext reads the manifests of an interrupted build, by folder; "" is the output folder itself.
func parseNext(data []byte) (map[string]manifest, error) {
	var n nextManifests
	if err := decodeStrict(data, &n); err != nil {
		return nil, err
	}
	if err := checkVersion(n.Version); err != nil {
		return nil, err
	}
	out := make(map[string]manifest, len(n.Manifests))
	for dir, m := range n.Manifests {
		if dir == "." {
			dir = ""
		} else if fault := clusterFault(dir); fault != "" {
			return nil, fmt.Errorf("cluster folder %q %s", dir, fault)
		}
		if err := m.fault(); err != nil {
			return nil, err
		}
		out[dir] = m
	}
	return out, nil
}

func printNext(manifests map[string]manifest) ([]byte, error) {
	n := nextManifests{Version: manifestVersion, Manifests: make(map[string]manifest, len(manifests))}
	for dir, m := range manifests {
		if dir == "" {
			dir = "."
		}
		n.Manifests[dir] = m
	}
	return json.Marshal(n)
}

func (m manifest) fault() error {
	if err := checkVersion(m.Version); err != nil {
		return err
	}
	for _, dir := range m.Clusters {
		if fault := clusterFault(dir); fault != "" {
			return fmt.Errorf("cluster folder %q %s", dir, fault)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(m.Files)) {
		if fault := pathFault(p); fault != "" {
			return fmt.Errorf("path %q %s", p, fault)
		}
	}
	return nil
}

func clusterFault(dir string) string {
	if fault := pathFault(dir); fault != "" {
		return fault
	}
	if strings.Contains(dir, "/") {
		return "is more than a folder name"
	}
	return ""
}

// decodeStrict refuses fields that it does not know. The fault is then more likely the version, which the caller checks
// where there is no such field.
func decodeStrict(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		var head struct{ Version int }
		if json.Unmarshal(data, &head) == nil {
			return cmp.Or(checkVersion(head.Version), err)
		}
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the manifest")
	}
	return nil
}

func checkVersion(version int) error {
	if version != manifestVersion {
		return fmt.Errorf("version %d is not %d, the one that this etcdlbgen knows", version, manifestVersion)
	}
	return nil
}

// recordPath is where the manifest of a folder lies, below the output folder.
func recordPath(dir string) string { return path.Join(dir, manifestName) }
