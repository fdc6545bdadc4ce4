package golden

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var fence = regexp.MustCompile("(?ms)^```(\\S+)(?: (\\S+))?\n(.*?)^```$")

// TestReadme runs the README's consoles on the README's files: what it shows is what the program prints.
func TestReadme(t *testing.T) {
	const path = "../README.md"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir, consoles := t.TempDir(), 0
	shown := fence.ReplaceAllStringFunc(string(data), func(block string) string {
		m := fence.FindStringSubmatch(block)
		language, name, text := m[1], m[2], m[3]
		if name != "" {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if language != "console" {
			return block
		}
		consoles++
		var out strings.Builder
		for _, line := range strings.Split(text, "\n") {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				out.WriteString(line + "\n" + shell(t, dir, command))
			}
		}
		return "```console\n" + out.String() + "```"
	})
	if consoles == 0 {
		t.Fatal("the README shows no console")
	}
	if *update {
		if err := os.WriteFile(path, []byte(shown), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	compare(t, map[string]string{"README.md": string(data)}, map[string]string{"README.md": shown})
}

// shell runs a command as a reader would, both streams in one.
func shell(t *testing.T, dir, command string) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", command+" 2>&1")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"))
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != 1 { // findings
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return strings.TrimRight(string(out), "\n") + "\n"
}
