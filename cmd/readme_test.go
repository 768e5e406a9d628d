package cmd_test

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"flowlog/cmd"
)

// TestReadme runs the commands of the README: each line of a block marked sh, in a shell, in a folder with a
// copy of testdata. A line must end with exit code 0, or with the one that its comment "# exit code 3" names. A
// block marked text that stands right behind such a block is what its last line prints; -update rewrites it. One
// marked yaml is the flowlog.yaml from there on.
// Lines that begin with go, other than go run, are not run: they build and test, as everything here does.
func TestReadme(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no shell")
	}
	content, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "testdata"), os.DirFS("../testdata")); err != nil {
		t.Fatal(err)
	}
	ran := 0
	var rewritten, printed []byte // printed is what the last line printed, nil if it was not run
	end := 0
	for _, at := range codeBlock.FindAllSubmatchIndex(content, -1) {
		between, kind, text := content[end:at[4]], string(content[at[2]:at[3]]), content[at[4]:at[5]]
		lineNumber := 1 + bytes.Count(content[:at[4]], []byte("\n"))
		rewritten = append(rewritten, between...)
		switch kind {
		case "sh":
			for line := range strings.Lines(string(text)) {
				if printed = shell(t, dir, fmt.Sprintf("README.md:%d", lineNumber), strings.TrimSpace(line)); printed != nil {
					ran++
				}
				lineNumber++
			}
		case "text":
			if printed == nil || len(bytes.TrimSpace(content[end:at[0]])) > 0 {
				break
			}
			if !*update && !bytes.Equal(text, printed) {
				t.Errorf("README.md:%d: go test ./cmd -update puts in what the command prints now:\n%s", lineNumber, printed)
			}
			text, printed = printed, nil
		case "yaml":
			if err := os.WriteFile(filepath.Join(dir, "flowlog.yaml"), text, 0o666); err != nil {
				t.Fatal(err)
			}
		case "":
			t.Errorf("README.md:%d: say what the block is: sh, text …", lineNumber)
		}
		rewritten = append(append(rewritten, text...), "```\n"...)
		end = at[1]
	}
	rewritten = append(rewritten, content[end:]...)
	if ran < 10 {
		t.Errorf("ran %d commands of the README: is it read right?", ran)
	}
	if *update && !t.Failed() {
		if err := os.WriteFile("../README.md", rewritten, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// codeBlock matches a fenced block: what it is, and its text.
var codeBlock = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```\n")

var exitCode = regexp.MustCompile(`# exit code (\d+)$`)

// shell runs a line of the README and returns what it prints, nil if it is not to be run here.
func shell(t *testing.T, dir, place, line string) (stdout []byte) {
	t.Helper()
	line = strings.Replace(line, "go run . ", "flowlog ", 1) // the one that TestMain has put into PATH
	first, _, _ := strings.Cut(line, " ")
	switch {
	case first == "" || first == "#" || first == "go":
		return nil
	case !strings.Contains(line, "flowlog"):
		t.Errorf("%s: %s: not a command of flowlog: mark the block as text", place, line)
		return nil
	}
	for _, program := range regexp.MustCompile(`(?:^|\| *)([a-z]+)`).FindAllStringSubmatch(line, -1) {
		if _, err := exec.LookPath(program[1]); err != nil {
			t.Logf("%s: %s: not run: there is no %s", place, line, program[1])
			return nil
		}
	}
	want := 0
	if m := exitCode.FindStringSubmatch(line); m != nil {
		want, _ = strconv.Atoi(m[1])
	}
	c := exec.Command("sh", "-c", line)
	var out, errOut bytes.Buffer
	c.Dir, c.Stdout, c.Stderr = dir, &out, &errOut
	err := c.Run()
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed):
	case err != nil:
		t.Errorf("%s: %s: %v", place, line, err)
		return nil
	}
	if got := c.ProcessState.ExitCode(); got != want || want == 0 && strings.Contains(errOut.String(), "flowlog: warning") {
		t.Errorf("%s: %s: exit code %d, want %d\n%s", place, line, got, want, &errOut)
	}
	return append([]byte{}, out.Bytes()...)
}

// TestReadmePicture keeps the README's picture what the command in it prints.
func TestReadmePicture(t *testing.T) {
	t.Setenv("FLOWLOG_CONFIG", "none") // whoever works here may have a flowlog.yaml
	const command = "flowlog report --top 5 testdata/logs"
	t.Chdir("..")
	args := strings.Fields(command)
	got := terminalPicture(command, cmd.Invoke(args[1:]...).Exits(t, 0))
	const path = "testdata/readme/report.svg"
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what %s prints (%v): go test ./cmd -update draws it", path, command, err)
	}
}

// terminalPicture draws a command and its output, a report in tables, as SVG in the colours of a terminal.
func terminalPicture(command, output string) []byte {
	const (
		size, advance, leading = 14, 8.43, 19 // of a monospaced font
		margin                 = 18
	)
	lines := append([]string{"$ " + command}, strings.Split(strings.TrimSuffix(output, "\n"), "\n")...)
	columns := 0
	for _, line := range lines {
		columns = max(columns, utf8.RuneCountInString(line))
	}
	width, height := margin*2+int(float64(columns)*advance), margin*2+leading*len(lines)
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img">`+"\n", width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n", html.EscapeString(command))
	fmt.Fprintf(&b, `<rect width="%d" height="%d" rx="8" fill="#161b22"/>`+"\n", width, height)
	fmt.Fprintf(&b, `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace" font-size="%d" fill="#c9d1d9" xml:space="preserve" style="white-space:pre">`+"\n", size)
	for i, line := range lines {
		y := margin + leading*i + size
		switch {
		case strings.HasPrefix(line, "─"):
			end := margin + int(float64(utf8.RuneCountInString(line))*advance)
			fmt.Fprintf(&b, `<path d="M%d %dH%d" stroke="#484f58"/>`+"\n", margin, y-size/3, end)
			continue
		case line == "":
			continue
		}
		style := ""
		switch {
		case i == 0:
			style = ` fill="#7ee787"`
		case i+1 < len(lines) && strings.HasPrefix(lines[i+1], "─") && strings.Contains(lines[i-1], ": "):
			style = ` fill="#ffffff" font-weight="bold"` // the line between a title and a rule
		}
		length := float64(utf8.RuneCountInString(line)) * advance
		fmt.Fprintf(&b, `<text x="%d" y="%d"%s textLength="%.1f">%s</text>`+"\n", margin, y, style, length, html.EscapeString(line))
	}
	b.WriteString("</g>\n</svg>\n")
	return b.Bytes()
}
