package lint

import (
	"path"
	"path/filepath"
	"strings"
)

// machines are the files that say what one machine does, by what they would be called without a mark of their family.
type machines struct {
	twins   map[string]bool // of IPv6
	folders map[string]int  // files in a folder that may hold IPv6
}

// unmarked takes the mark of IPv6 out of a path.
var unmarked = strings.NewReplacer("ipv6", "ip", "ipv4", "ip", "ip6", "ip", "v6", "", "v4", "")

// newMachines sorts files by machine.
func newMachines(files []file) machines {
	m := machines{map[string]bool{}, map[string]int{}}
	for _, f := range files {
		if !f.format.PerMachine {
			continue
		}
		name := filepath.ToSlash(f.path)
		if strings.Contains(name, "v6") || strings.Contains(name, "ip6") {
			m.twins[f.host+"\x00"+unmarked.Replace(name)] = true
		}
		if !strings.Contains(path.Base(name), "v4") {
			m.folders[f.host+"\x00"+path.Dir(name)]++
		}
	}
	return m
}

// alone reports whether a file was met in a folder that is linted whole, and no other one can be about its machine.
func (m machines) alone(f file) bool {
	if !f.walked || !f.format.PerMachine {
		return false
	}
	name := filepath.ToSlash(f.path)
	others := m.folders[f.host+"\x00"+path.Dir(name)]
	if !strings.Contains(path.Base(name), "v4") {
		others-- // the file itself
	}
	return others == 0 && !m.twins[f.host+"\x00"+unmarked.Replace(name)]
}
