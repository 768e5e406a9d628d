// Package s3test is S3 in memory, for tests: the part of the protocol that flowlog speaks, over HTTP. It checks no signatures,
// and neither does it ask for credentials.
//
//	request → bucket and key → object, listing or upload → answer or error in XML
//
// What AWS's documents leave open is as in versitygw, against which the same tests run where there is one.
package s3test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Server is a handler for requests in path style: /BUCKET/KEY. It may be used by any number of goroutines.
type Server struct {
	mu      sync.Mutex
	buckets map[string]map[string]object
	uploads map[string]upload // by their IDs
	last    int               // ID of an upload
	clock   time.Time         // when the last object was stored: a test does not depend on the day
}

type object struct {
	content []byte
	etag    string    // with its quotes
	at      time.Time // when it was stored
}

// An upload is one of several parts that is not completed yet.
type upload struct {
	bucket, key string
	parts       map[int]object
}

// New returns a server with empty buckets of these names. No others can be made.
func New(buckets ...string) *Server {
	s := &Server{buckets: make(map[string]map[string]object), uploads: make(map[string]upload), clock: time.Date(2026, 5, 14, 9, 0, 0, 0, time.UTC)}
	for _, name := range buckets {
		s.buckets[name] = make(map[string]object)
	}
	return s
}

// Put stores an object.
func (s *Server) Put(bucket, key string, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets[bucket][key] = s.stored(content)
}

// Delete removes an object, if it is there.
func (s *Server) Delete(bucket, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.buckets[bucket], key)
}

// stored is an object of this content, a second younger than the one before.
func (s *Server) stored(content []byte) object {
	sum := md5.Sum(content)
	s.clock = s.clock.Add(time.Second)
	return object{bytes.Clone(content), `"` + hex.EncodeToString(sum[:]) + `"`, s.clock}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	objects, ok := s.buckets[bucket]
	switch id := q.Get("uploadId"); {
	case !ok:
		fail(w, http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	case key == "" && r.Method == http.MethodHead:
	case key == "" && r.Method == http.MethodGet && q.Has("uploads"):
		s.listUploads(w, bucket, q)
	case key == "" && r.Method == http.MethodGet:
		list(w, bucket, objects, q)
	case r.Method == http.MethodPost && q.Has("uploads"):
		s.last++
		id = strconv.Itoa(s.last)
		s.uploads[id] = upload{bucket, key, make(map[int]object)}
		answer(w, initiated{Bucket: bucket, Key: key, UploadID: id})
	case id != "":
		s.toUpload(w, r, id, bucket, key, body)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		get(w, r, objects, key)
	case r.Method == http.MethodPut:
		if _, ok := objects[key]; ok && r.Header.Get("If-None-Match") == "*" {
			fail(w, http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
			return
		}
		objects[key] = s.stored(body)
		w.Header().Set("ETag", objects[key].etag)
	case r.Method == http.MethodDelete:
		delete(objects, key)
		w.WriteHeader(http.StatusNoContent)
	default:
		fail(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource")
	}
}

// get answers for an object, or for a range of it.
func get(w http.ResponseWriter, r *http.Request, objects map[string]object, key string) {
	o, ok := objects[key]
	if !ok {
		fail(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	}
	if r.Header.Get("Range") != "" && len(o.content) == 0 {
		fail(w, http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
		return
	}
	w.Header().Set("ETag", o.etag)
	w.Header().Set("Content-Type", "binary/octet-stream")
	http.ServeContent(w, r, "", o.at, bytes.NewReader(o.content))
}

// toUpload stores a part of an upload, completes it or aborts it.
func (s *Server) toUpload(w http.ResponseWriter, r *http.Request, id, bucket, key string, body []byte) {
	u, ok := s.uploads[id]
	if !ok || u.bucket != bucket || u.key != key {
		fail(w, http.StatusNotFound, "NoSuchUpload", "The specified upload does not exist.")
		return
	}
	switch r.Method {
	case http.MethodPut:
		n, err := strconv.Atoi(r.URL.Query().Get("partNumber"))
		if err != nil || n < 1 || n > 10_000 {
			fail(w, http.StatusBadRequest, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
			return
		}
		u.parts[n] = s.stored(body)
		w.Header().Set("ETag", u.parts[n].etag)
	case http.MethodDelete:
		delete(s.uploads, id)
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPost:
		s.complete(w, id, u, body)
	}
}

// The least size of a part that is not the last.
const minPart = 5 << 20

// complete makes an object of the parts that the body lists.
func (s *Server) complete(w http.ResponseWriter, id string, u upload, body []byte) {
	var parts struct {
		Part []struct {
			PartNumber int
			ETag       string
		}
	}
	if xml.Unmarshal(body, &parts) != nil || len(parts.Part) == 0 {
		fail(w, http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
		return
	}
	var content []byte
	for i, p := range parts.Part {
		have, ok := u.parts[p.PartNumber]
		switch {
		case !ok || strings.Trim(p.ETag, `"`) != strings.Trim(have.etag, `"`):
			fail(w, http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found.")
			return
		case i > 0 && p.PartNumber <= parts.Part[i-1].PartNumber:
			fail(w, http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order.")
			return
		case i < len(parts.Part)-1 && len(have.content) < minPart:
			fail(w, http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
			return
		}
		content = append(content, have.content...)
	}
	o := s.stored(content)
	o.etag = fmt.Sprintf(`"%s-%d"`, strings.Trim(o.etag, `"`), len(parts.Part))
	s.buckets[u.bucket][u.key] = o
	delete(s.uploads, id)
	answer(w, completed{Bucket: u.bucket, Key: u.key, ETag: o.etag})
}

// list answers with a page of keys: those with a prefix, behind a marker, at most so many.
func list(w http.ResponseWriter, bucket string, objects map[string]object, q url.Values) {
	prefix, delimiter := q.Get("prefix"), q.Get("delimiter")
	after := max(q.Get("start-after"), q.Get("continuation-token"))
	most := 1000
	if n, err := strconv.Atoi(q.Get("max-keys")); err == nil && n < most {
		most = n
	}
	out := listing{Name: bucket, Prefix: prefix, Delimiter: delimiter, MaxKeys: most, ContinuationToken: q.Get("continuation-token"), StartAfter: q.Get("start-after")}
	var keys []string
	for key := range objects {
		if strings.HasPrefix(key, prefix) && key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	last := ""
	for _, key := range keys {
		folder := ""
		if delimiter != "" {
			if i := strings.Index(key[len(prefix):], delimiter); i >= 0 {
				folder = key[:len(prefix)+i+len(delimiter)]
			}
		}
		if folder != "" && (strings.HasPrefix(last, folder) || strings.HasPrefix(after, folder)) {
			continue // it is in the answer, or in the page before
		}
		if out.KeyCount == most {
			out.IsTruncated, out.NextContinuationToken = true, last
			break
		}
		out.KeyCount++
		if last = key; folder != "" {
			last = folder
			out.CommonPrefixes = append(out.CommonPrefixes, common{folder})
			continue
		}
		o := objects[key]
		out.Contents = append(out.Contents, content{key, o.at.Format("2006-01-02T15:04:05.000Z"), o.etag, len(o.content), "STANDARD"})
	}
	answer(w, out)
}

// listUploads answers with all uploads of a bucket in one page.
func (s *Server) listUploads(w http.ResponseWriter, bucket string, q url.Values) {
	out := uploads{Bucket: bucket, Prefix: q.Get("prefix"), MaxUploads: 1000}
	for id, u := range s.uploads {
		if u.bucket == bucket && strings.HasPrefix(u.key, out.Prefix) {
			out.Upload = append(out.Upload, pending{u.key, id})
		}
	}
	slices.SortFunc(out.Upload, func(a, b pending) int { return strings.Compare(a.Key+"\x00"+a.UploadID, b.Key+"\x00"+b.UploadID) })
	answer(w, out)
}
