// Package trino runs queries on a Trino server: SQL → the driver of Trino's own project → rows of plain values.
//
// Files, each uses only those above it:
//
//	watch.go    the state of a query while it runs
//	trino.go    connection, query, rows
package trino

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	driver "github.com/trinodb/trino-go-client/trino"

	"flowlog/report/engine"
)

// patience limits the retries of a request that gets no answer, unless the DSN sets them: the driver's default is to
// retry for two minutes before it reports that no server is there.
const (
	patience = 10 * time.Second
	attempts = 4
)

// A runner runs queries on a Trino server.
type runner struct {
	db      *sql.DB
	secrets []string // removed from errors
	host    string
	*watch
}

// Open prepares queries on the server that a DSN names: http[s]://user[:password]@host[:port]?catalog=…&schema=…, with
// the driver's other parameters. It sends nothing yet. Errors contain neither password nor token.
func Open(dsn string) (engine.Runner, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, errDSN // the parser's error may quote the password
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, errDSN
	}
	r := &runner{host: u.Host, secrets: secrets(u)}
	if u.User.Username() == "" {
		u.User = url.User("flowlog") // Trino requires a user name
	}
	if _, ok := u.User.Password(); ok && u.Scheme == "http" {
		return nil, errors.New("a password is sent over https alone: write https://, or leave it out")
	}
	conf, err := driver.ParseDSN(u.String())
	if err != nil {
		return nil, r.plain(err)
	}
	if conf.Source == "" || conf.Source == "trino-go-client" {
		conf.Source = "flowlog"
	}
	if conf.RequestRetryTimeout == nil {
		wait := patience
		conf.RequestRetryTimeout = &wait
	}
	if conf.RequestRetryMaxAttempts == nil {
		times := attempts
		conf.RequestRetryMaxAttempts = &times
	}
	if r.watch, err = newWatch(conf); err != nil {
		return nil, r.plain(err)
	}
	conf.HTTPClient = &http.Client{Transport: r.watch}
	c, err := driver.NewConnector(conf)
	if err != nil {
		return nil, r.plain(err)
	}
	r.db = sql.OpenDB(c)
	return r, nil
}

// newWatch returns the HTTP transport for a configuration, wrapped in a watch. It clears the settings that it used, since
// the driver would build another transport from them.
func newWatch(conf *driver.Config) (*watch, error) {
	conf.CustomClientName = "" // no client is registered under a name
	tls, err := conf.TLSConfig()
	if err != nil {
		return nil, err
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = tls
	switch {
	case conf.HTTPProxy != "":
		t.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: conf.HTTPProxy})
	case conf.SOCKSProxy != "":
		t.Proxy = http.ProxyURL(&url.URL{Scheme: "socks5", Host: conf.SOCKSProxy})
	}
	conf.HTTPProxy, conf.SOCKSProxy, conf.SSLVerification = "", "", ""
	conf.SSLCert, conf.SSLCertPath, conf.SSLClientCert, conf.SSLClientCertPath, conf.SSLClientKey, conf.SSLClientKeyPath = "", "", "", "", "", ""
	return &watch{next: t, stats: engine.Stats{Scanned: -1, Cost: -1}}, nil
}

// errDSN is the error for a malformed DSN. It does not quote it.
var errDSN = errors.New("the DSN is not of the form https://user:password@host:port?catalog=hive&schema=vpc; in a password, what is no letter or digit is percent-encoded")

// secrets lists the secret parts of a DSN, both percent-encoded and decoded.
func secrets(u *url.URL) []string {
	var list []string
	add := func(s string) {
		if s != "" {
			list = append(list, s, url.QueryEscape(s), url.PathEscape(s))
		}
	}
	password, _ := u.User.Password()
	add(password)
	for name, values := range u.Query() {
		for _, part := range []string{"token", "credential", "secret", "password", "sslclientkey"} {
			if strings.Contains(strings.ToLower(name), part) {
				for _, v := range values {
					add(v)
				}
			}
		}
	}
	// the longest first: one may be a part of another
	slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	return list
}

// Run runs a query.
func (r *runner) Run(ctx context.Context, query string) (_ engine.Result, err error) {
	defer r.recoverPanic(&err)
	r.reset()
	rows, err := r.db.QueryContext(ctx, query)
	if err != nil {
		r.end()
		return nil, r.plain(err)
	}
	columns, err := rows.Columns()
	if err != nil {
		return nil, errors.Join(r.plain(err), rows.Close())
	}
	return &result{runner: r, rows: rows, columns: columns}, nil
}

// errStrange is the error for answers that violate Trino's protocol.
var errStrange = errors.New("the answer is not from Trino, or it was damaged on the way: check the address, and ask again")

// recoverPanic turns a panic of the driver into errStrange: the driver assumes well-formed answers, such as rows with as
// many values as columns.
func (r *runner) recoverPanic(err *error) {
	if p := recover(); p != nil {
		r.end()
		*err = r.plain(errStrange)
	}
}

// Stats is what the last query took.
func (r *runner) Stats() engine.Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// Close ends all connections.
func (r *runner) Close() error { return r.db.Close() }

// refusals are the Trino errors that mean access denied.
var refusals = []string{"PERMISSION_DENIED", "INSUFFICIENT_PRIVILEGES"}

// plain shortens an error, removes secrets, and makes it a Denied if access was denied.
func (r *runner) plain(err error) error {
	if err == nil || err == io.EOF || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	text, denied := err.Error(), false
	var failed *driver.ErrQueryFailed
	var unreachable *net.OpError
	if errors.As(err, &unreachable) {
		text = unreachable.Error()
	} else if errors.As(err, &failed) {
		denied = failed.StatusCode == http.StatusUnauthorized || failed.StatusCode == http.StatusForbidden
		if failed.StatusCode != http.StatusOK && failed.StatusCode != 0 {
			text = fmt.Sprintf("%d %s", failed.StatusCode, http.StatusText(failed.StatusCode))
			if failed.Reason != nil && failed.Reason.Error() != "" {
				text += ": " + failed.Reason.Error()
			}
		}
	}
	var said *driver.ErrTrino
	if errors.As(err, &said) {
		denied = denied || slices.Contains(refusals, said.ErrorName)
		text = said.Message
	}
	for _, s := range r.secrets {
		text = strings.ReplaceAll(text, s, "xxxxx")
	}
	err = fmt.Errorf("trino at %s: %s", r.host, strings.TrimSpace(text))
	if denied {
		return &engine.Denied{Err: err}
	}
	return err
}

// A result is the rows of a query.
type result struct {
	*runner
	rows    *sql.Rows
	columns []string
}

func (r *result) Columns() []string { return r.columns }

// Next returns the next row. Cancelling Run's context ends the query.
func (r *result) Next(ctx context.Context) (_ []any, err error) {
	defer r.recoverPanic(&err)
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			r.end()
			return nil, r.plain(err)
		}
		if !r.ended() {
			return nil, r.plain(errStrange)
		}
		return nil, io.EOF
	}
	row := make([]any, len(r.columns))
	places := make([]any, len(row))
	for i := range row {
		places[i] = &row[i]
	}
	if err := r.rows.Scan(places...); err != nil {
		return nil, r.plain(err)
	}
	for i, v := range row {
		row[i] = plainValue(v)
	}
	return row, ctx.Err()
}

// plainValue converts a value of the driver to one of a Result.
func plainValue(v any) any {
	switch v := v.(type) {
	case nil, bool, int64, float64, string:
		return v
	case []byte:
		return string(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v)
}

// Close ends the query if it is still running. It ignores the driver's error, which nobody could act on.
func (r *result) Close() error {
	r.end()
	_ = r.rows.Close() // all rows were read, or nobody wants them
	return nil
}
