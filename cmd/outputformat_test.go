package cmd_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flowlog/cmd"
	"flowlog/report/render"
)

const strangeLog = `srcaddr dstaddr bytes action odd
10.0.0.5 192.0.2.10 3000 ACCEPT first-odd
10.0.0.6 192.0.2.10 40 REJECT second-odd
`

// What `parse` writes in an Unmarked format is read as logs by later runs over the same folder, so a line on stderr says
// where the file lies. What it writes in the others is left out then, or refused.
func TestUnmarkedOutputIsReadAsLogs(t *testing.T) {
	for _, f := range render.Formats {
		if f.Columns == render.NoColumns {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "flow.log"), strangeLog)
			r := cmd.Invoke("parse", "-o", f.Name, "-O", filepath.Join(dir, "out"), dir)
			r.Exits(t, 0)
			if said := strings.Contains(r.Err, "is inside the input"); said != f.Unmarked {
				t.Errorf("a line says that the file lies inside the input: %v, and Unmarked is %v: %s", said, f.Unmarked, r.Err)
			}
			// it may say that one file is no log, which is exit code 3
			again := cmd.Invoke("report", "summary", "-o", "csv", "--measures", "bytes", dir).Exits(t, 0, 3)
			want := "bytes\n3040\n"
			if f.Unmarked {
				want = "bytes\n6080\n"
			}
			if again != want {
				t.Errorf("a report of the folder: %q, want %q", again, want)
			}
		})
	}
}

// A column that flowlog does not know is in every format, and so are the columns that the format's Columns promise.
func TestColumnsOfFormats(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "flow.log")
	write(t, log, strangeLog)
	for _, f := range render.Formats {
		if f.Columns == render.NoColumns {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			file := filepath.Join(dir, "out-"+f.Name)
			cmd.Invoke("parse", "-q", "-o", f.Name, "-O", file, log).Exits(t, 0)
			got, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all := f.Columns == render.AllLogged
			for name, want := range map[string]bool{"srcaddr": true, "odd": true, "pkt_dst_aws_service": all} {
				if has := bytes.Contains(got, []byte(name)); has != want {
					t.Errorf("%s: %v, want %v", name, has, want)
				}
			}
			if !f.Binary && !bytes.Contains(got, []byte("second-odd")) {
				t.Errorf("the values of the column are missing:\n%s", got)
			}
		})
	}
}
