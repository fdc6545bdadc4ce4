package topology

import (
	"hash/fnv"
	"slices"
)

// Slots gives each name a number below n, where numbers must differ: the same one whatever other names there are, but in
// the rare case that two names want the same. There must not be more names than numbers.
func Slots(names []string, n int) map[string]int {
	out := map[string]int{}
	taken := map[int]bool{}
	for _, name := range slices.Sorted(slices.Values(names)) {
		h := fnv.New32a()
		h.Write([]byte(name))
		slot := int(h.Sum32() % uint32(n))
		for taken[slot] {
			slot = (slot + 1) % n
		}
		taken[slot] = true
		out[name] = slot
	}
	return out
}
