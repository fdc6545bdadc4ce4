package lint

import (
	"bytes"
	"errors"
	"hash/maphash"
	"io"
	"os"
)

// texts are the texts of what was read, by path as shown. Those of files on disk are not held, but read again when
// something in them is shown or fixed.
type texts struct {
	held    map[string][]byte
	again   map[string][]byte // some of those that were read again
	size    int               // of these
	sums    map[string]uint64 // of texts that are not held
	ignores map[string][]*ignore
}

func newTexts() *texts {
	return &texts{held: map[string][]byte{}, again: map[string][]byte{}, sums: map[string]uint64{}, ignores: map[string][]*ignore{}}
}

var textSeed = maphash.MakeSeed()

// note is what is kept of a text: the text itself, or a sum of one that can be read again.
type note struct {
	path    string
	held    []byte
	sum     uint64
	ignores []*ignore
}

func noteOf(path string, data []byte, hold bool) note {
	n := note{path: path, ignores: ignores(path, data)}
	if hold {
		n.held = data
	} else {
		n.sum = maphash.Bytes(textSeed, data)
	}
	return n
}

// hold takes a text in that stays in memory.
func (t *texts) hold(path string, data []byte) { t.take([]note{noteOf(path, data, true)}) }

func (t *texts) take(notes []note) {
	for _, n := range notes {
		if n.held != nil {
			t.held[n.path] = n.held
		} else {
			t.sums[n.path] = n.sum
		}
		if len(n.ignores) > 0 {
			t.ignores[n.path] = n.ignores
		}
	}
}

// get is the text of a path, nil where nothing was read there or it has changed since.
func (t *texts) get(path string) []byte {
	if data, ok := t.held[path]; ok {
		return data
	}
	if data, ok := t.again[path]; ok {
		return data
	}
	sum, ok := t.sums[path]
	if !ok {
		return nil
	}
	data, err := readText(path)
	if err != nil || maphash.Bytes(textSeed, data) != sum {
		data = nil
	}
	if t.size += len(data); t.size > maxAgain {
		clear(t.again)
		t.size = len(data)
	}
	t.again[path] = data
	return data
}

// maxAgain is how many bytes of texts are held that can be read again: findings stand in the order of the files.
const maxAgain = 2 * MaxFile

// errGrown is why a file is not read that was small enough a moment ago.
var errGrown = errors.New("it grows while it is read")

// readText reads a file of at most MaxFile bytes.
func readText(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	if info, err := f.Stat(); err == nil {
		if info.Size() == 0 { // as in look
			return nil, nil
		}
		b.Grow(int(min(info.Size(), MaxFile)) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(io.LimitReader(f, MaxFile+1)); err != nil {
		return nil, err
	}
	if b.Len() > MaxFile {
		return nil, errGrown
	}
	return bytes.TrimPrefix(b.Bytes(), ByteOrderMark), nil
}
