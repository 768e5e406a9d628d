package s3

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"flowlog/parse/aws"
)

// longestPage bounds what a page of a listing is read of. A thousand of the longest keys are less.
const longestPage = 64 << 20

// listingOf takes in the body of an answer to a request to list, so that one that breaks off, or is the page of
// somebody else, fails the attempt.
func listingOf(resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, longestPage+1))
	if closed := resp.Body.Close(); err == nil {
		err = closed
	}
	switch {
	case err != nil:
		return &aws.BrokenAnswer{Err: fmt.Errorf("the listing broke off after %d bytes: %w", len(body), err)}
	case len(body) > longestPage:
		return errors.New("a page of the listing is larger than 64 MiB")
	}
	if err := isListing(body); err != nil {
		return &aws.BrokenAnswer{Err: err}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// listRoot is the element that a page of a listing is.
const listRoot = "ListBucketResult"

// isListing says what an answer is that is no page of a listing. That it is well-formed in between, the SDK finds out.
func isListing(body []byte) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if err != nil {
			return fmt.Errorf("the server answered with %s instead of a listing", whatIs(body))
		}
		root, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if root.Name.Local != listRoot {
			return fmt.Errorf("the server answered with <%s> instead of a listing", root.Name.Local)
		}
		break
	}
	if !bytes.HasSuffix(bytes.TrimRight(body, " \t\r\n"), []byte(listRoot+">")) {
		return errors.New("the listing breaks off")
	}
	return nil
}

// whatIs describes a body that is no XML.
func whatIs(body []byte) string {
	if len(bytes.TrimSpace(body)) == 0 {
		return "nothing"
	}
	const most = 40
	return fmt.Sprintf("%.*q", most, body[:min(len(body), most)])
}

// listPage requests a page. One that is not whole is requested again.
func (s *Source) listPage(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	asked := false // once more, for its number of keys
	for n := 1; ; n++ {
		out, err := do(ctx, s.Client, s.bucket, func(o func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
			return s.api.ListObjectsV2(ctx, in, o)
		})
		if err != nil {
			return nil, s.explain(request{permission: "s3:ListBucket", bucket: s.bucket}, err)
		}
		if err = unfinished(in, out); err == nil && miscounted(out) {
			if asked { // some servers count differently
				s.miscounted.Store(true)
				return out, nil
			}
			asked = true
		} else if err == nil || n == aws.Attempts {
			return out, err
		}
		if err := s.link.Wait(ctx, n); err != nil {
			return nil, err
		}
	}
}

// unfinished says what is missing from a page of a listing.
func unfinished(in *s3.ListObjectsV2Input, out *s3.ListObjectsV2Output) error {
	switch {
	case out.IsTruncated == nil:
		return errors.New("the listing does not say whether it goes on")
	case !*out.IsTruncated:
		return nil
	case len(out.Contents)+len(out.CommonPrefixes) == 0:
		return errors.New("the server says that the listing goes on, and lists nothing")
	case out.NextContinuationToken == nil || in.ContinuationToken != nil && *in.ContinuationToken == *out.NextContinuationToken:
		return errors.New("the server says that the listing goes on, but not where")
	}
	return nil
}

// miscounted reports whether a page says that it lists more or less than it does.
func miscounted(out *s3.ListObjectsV2Output) bool {
	if out.KeyCount == nil {
		return false
	}
	n := int(*out.KeyCount)
	return n != len(out.Contents) && n != len(out.Contents)+len(out.CommonPrefixes)
}
