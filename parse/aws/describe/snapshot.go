package describe

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"flowlog/parse/aws"
)

// A Scope is what a snapshot is of.
type Scope struct {
	Account, Region string
	Time            time.Time // when it begins
}

// Name is the name of the file of a snapshot.
func (s Scope) Name() string {
	return fmt.Sprintf("%s_%s_%s.json.gz", s.Time.UTC().Format("2006-01-02T150405Z"), s.Account, s.Region)
}

// A Snapshot is one document, and what is missing from it.
type Snapshot struct {
	Scope
	Document []byte // gzip
	Calls    int    // that are in the document
	Counts   map[string]int
	Failed   []Failure
}

// A Failure is calls that are missing, for one reason.
type Failure struct {
	Actions []string
	Err     error
}

// Take makes calls of Calls in one region and returns what they say. A call that fails is missing, and the others are made,
// unless its error is that of all: credentials that are refused, a server that is not there. The error is that of ctx.
func Take(ctx context.Context, conn *aws.Connection, scope Scope, calls []*Call) (*Snapshot, error) {
	t := &taker{caller: caller{conn, scope.Region}, found: make(map[*Call][]found)}
	s := &Snapshot{Scope: scope, Counts: make(map[string]int)}
	var document bytes.Buffer
	head := fmt.Sprintf(`{"flowlog":"inventory","version":1,"account":%s,"region":%s,"time":%s,`+"\n"+`"calls":{`, quoted(scope.Account), quoted(scope.Region), quoted(scope.Time.UTC().Format(time.RFC3339)))
	if err := compress(&document, head); err != nil {
		return nil, err
	}
	for i, call := range calls {
		part, n, err := t.call(ctx, calls, call)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && forAll(err):
			var rest []string
			for _, c := range calls[i:] {
				rest = append(rest, c.Action)
			}
			s.Failed = append(s.Failed, Failure{rest, err})
			return s, t.end(s, &document)
		case err != nil:
			s.Failed = append(s.Failed, Failure{[]string{call.Action}, err})
			continue
		case call.Hidden:
			continue
		}
		if s.Calls++; s.Calls > 1 {
			if err := compress(&document, ","); err != nil {
				return nil, err
			}
		}
		document.Write(part)
		s.Counts[call.CLI] += n
	}
	return s, t.end(s, &document)
}

// end closes the document.
func (t *taker) end(s *Snapshot, document *bytes.Buffer) error {
	err := compress(document, "\n}}\n")
	s.Document = document.Bytes()
	return err
}

// forAll reports whether an error of one call would be that of all others.
func forAll(err error) bool {
	var access *aws.AccessError
	if errors.As(err, &access) {
		return access.Permission == ""
	}
	f := aws.FailureOf(err)
	return f.Unsent != nil
}

func quoted(text string) string {
	var s shaper
	s.string(text)
	return s.String()
}

// compress appends a member of gzip. Each call is one of its own, so that one that fails halfway is left out.
func compress(to io.Writer, text string) error {
	z := gzip.NewWriter(to)
	if _, err := io.WriteString(z, text); err != nil {
		return err
	}
	return z.Close()
}

// A taker makes the calls of one snapshot.
type taker struct {
	caller
	found map[*Call][]found // by the calls that others are made for, once they are made
}

// found is the keys of one round of a call, with the parameters of that.
type found struct {
	asked params
	keys  []string
}

// call makes a call to its end. It returns its member of the document, as gzip, and the number of elements.
func (t *taker) call(ctx context.Context, calls []*Call, call *Call) (part []byte, n int, err error) {
	rounds, err := t.rounds(calls, call)
	if err != nil {
		return nil, 0, err
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err = fmt.Fprintf(z, "\n%s:{%s:[", quoted(call.Action), quoted(call.CLI))
	if err != nil {
		return nil, 0, err
	}
	all := make([]found, 0, len(rounds))
	for _, asked := range rounds {
		keys, err := t.pages(ctx, call, asked, func(element []byte) error {
			between := "\n"
			if n++; n > 1 {
				between = ",\n"
			}
			_, err := fmt.Fprintf(z, "%s%s", between, element)
			return err
		})
		if err != nil {
			return nil, 0, err
		}
		all = append(all, found{asked, keys})
	}
	t.found[call] = all
	if _, err := io.WriteString(z, "]}"); err != nil {
		return nil, 0, err
	}
	err = z.Close()
	return out.Bytes(), n, err
}

// pages makes one round of a call to its end, and returns the keys of its elements.
func (t *taker) pages(ctx context.Context, call *Call, asked params, emit func(element []byte) error) (keys []string, err error) {
	seen := make(map[string]bool)
	for token := ""; ; {
		p, err := t.page(ctx, call, asked, token)
		switch {
		case err != nil && call.Each != nil && gone(err):
			return keys, nil
		case err != nil:
			return nil, err
		case seen[p.next]:
			return nil, fmt.Errorf("the server answers %s in a circle: the pages come back to %q", call.Action, p.next)
		}
		for _, e := range p.elements {
			if err := emit(e); err != nil {
				return nil, err
			}
		}
		keys = append(keys, p.keys...)
		if token = p.next; token == "" {
			return keys, nil
		}
		seen[token] = true
	}
}

// gone reports whether what a call is made for was deleted since it was found.
func gone(err error) bool {
	code := aws.FailureOf(err).Code
	return strings.HasSuffix(code, "NotFound") || strings.HasSuffix(code, "NotFoundException")
}

// rounds returns the parameters with which a call is made.
func (t *taker) rounds(calls []*Call, call *Call) ([]params, error) {
	if call.Each == nil {
		return []params{nil}, nil
	}
	other := calls[slices.IndexFunc(calls, func(c *Call) bool { return c.Action == call.Each.Of && c.With == call.With })]
	all, made := t.found[other]
	if !made {
		return nil, fmt.Errorf("it is made for what %s finds, which failed", call.Each.Of)
	}
	var rounds []params
	for _, f := range all {
		for keys := range slices.Chunk(f.keys, max(call.Each.Batch, 1)) {
			asked := maps.Clone(f.asked)
			if asked == nil {
				asked = make(params)
			}
			if asked[call.Each.Param] = keys[0]; call.Each.Batch > 0 {
				asked[call.Each.Param] = keys
			}
			rounds = append(rounds, asked)
		}
	}
	return rounds, nil
}
