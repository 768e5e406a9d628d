package oracle

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// An engine is DuckDB, in the package of that name for Python: in the Python that $DUCKDB_PYTHON names, as .ci/run
// does, or in python3.
type engine struct {
	in  io.Writer
	out *bufio.Scanner
}

// open starts DuckDB, or skips the test if there is none.
func open(t *testing.T) *engine {
	t.Helper()
	python := os.Getenv("DUCKDB_PYTHON")
	if python == "" {
		python = "python3"
		if exec.Command(python, "-c", "import duckdb").Run() != nil {
			t.Skip("there is no DuckDB here: pip install duckdb, or name a Python that has it in $DUCKDB_PYTHON")
		}
	}
	c := exec.Command(python, "run.py")
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	})
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<28)
	return &engine{in, lines}
}

// An answer is what a query comes to. Numbers are json.Number, times text.
type answer struct {
	Columns []string
	Rows    [][]any
	Error   string
}

func (e *engine) query(sql string) (answer, error) {
	line, err := json.Marshal(sql)
	if err != nil {
		return answer{}, err
	}
	if _, err := e.in.Write(append(line, '\n')); err != nil {
		return answer{}, err
	}
	if !e.out.Scan() {
		return answer{}, errors.Join(io.ErrUnexpectedEOF, e.out.Err())
	}
	var a answer
	dec := json.NewDecoder(strings.NewReader(e.out.Text()))
	dec.UseNumber()
	if err := dec.Decode(&a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

func (e *engine) must(t *testing.T, sql string) answer {
	t.Helper()
	a, err := e.query(sql)
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	return a
}
