package topology

import (
	"fmt"
	"testing"
)

func TestSlots(t *testing.T) {
	names := []string{"etcd-3", "etcd-1", "etcd-2"}
	before := Slots(names, 1000)
	for name, slot := range Slots(append(names, "etcd-4"), 1000) {
		if old, ok := before[name]; ok && old != slot {
			t.Errorf("%s moves from %d to %d when another one comes", name, old, slot)
		}
	}
	var many []string
	for i := range 10 {
		many = append(many, fmt.Sprint("m", i))
	}
	seen := map[int]bool{}
	for name, slot := range Slots(many, len(many)) {
		if slot < 0 || slot >= len(many) || seen[slot] {
			t.Errorf("%s has slot %d", name, slot)
		}
		seen[slot] = true
	}
	if len(seen) != len(many) {
		t.Errorf("%d names have slots", len(seen))
	}
}
