package ecb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"example.com/portpair/services/twelve/logs"
	"example.com/portpair/services/twelve/resource"
)

const (
	fetchTimeout = 2 * time.Minute  // for a whole fetch
	stallTimeout = 15 * time.Second // for the next byte of it, the first one too
	maxHeader    = 32 << 10         // bytes
)

// edition is the feed as it was handed out once.
type edition struct {
	data string // zip or CSV
	version
}

// version is what a server calls an edition by (validators: RFC 9110, section 8.8), to be asked whether there is
// another by now.
type version struct {
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"lastModified,omitempty"`
}

// errUnchanged is returned by fetch when there is no other edition than the version known.
var errUnchanged = errors.New("unchanged")

// unavailable is an answer without a feed, and for how long its server wants to be left alone.
type unavailable struct {
	status int
	wish   time.Duration
}

func (u *unavailable) Error() string { return fmt.Sprintf("answered with status %d", u.status) }

// retryAfter reads Retry-After (RFC 9110, section 10.2.3), seconds or a date; what cannot be read is 0.
func retryAfter(header string, now time.Time) time.Duration {
	seconds, err := strconv.ParseUint(header, 10, 31)
	if err == nil || errors.Is(err, strconv.ErrRange) { // then seconds is the largest there is
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return at.Sub(now)
	}
	return 0
}

type fetcher struct {
	source         Source
	agent          string
	client         *http.Client
	timeout, stall time.Duration
}

func newFetcher(s Source, agent string) *fetcher {
	return &fetcher{
		source: s, agent: agent, timeout: fetchTimeout, stall: stallTimeout,
		client: &http.Client{
			CheckRedirect: s.CheckRedirect,
			Transport: &http.Transport{
				DisableKeepAlives:      true, // an hour is too long to keep a connection for
				MaxResponseHeaderBytes: maxHeader,
				ForceAttemptHTTP2:      true,
			},
		},
	}
}

// fetch reads the feed, unless it is the version known. Errors hold nothing of the URL.
func (f *fetcher) fetch(ctx context.Context, known version) (edition, error) {
	if path, ok := f.source.isFile(); ok {
		data, err := readFile(path)
		return edition{data: data}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(f.timeout, func() { cancel(fmt.Errorf("not done after %v", f.timeout)) })
	defer late.Stop()
	stalled := time.AfterFunc(f.stall, func() { cancel(fmt.Errorf("nothing came for %v", f.stall)) })
	defer stalled.Stop()

	resp, err := f.ask(ctx, known)
	if err != nil {
		return edition{}, reason(ctx, err)
	}
	defer resp.Body.Close()
	switch status := resp.StatusCode; {
	case status == http.StatusOK:
	case status == http.StatusNotModified && known != (version{}):
		return edition{}, errUnchanged
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return edition{}, fmt.Errorf("refuses the credentials: status %d", status)
	default:
		return edition{}, &unavailable{status, retryAfter(resp.Header.Get("Retry-After"), time.Now())}
	}
	data, err := readAll(&watched{resp.Body, func() { stalled.Reset(f.stall) }})
	if err != nil {
		return edition{}, reason(ctx, err)
	}
	return edition{data, version{resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")}}, nil
}

func (f *fetcher) ask(ctx context.Context, known version) (*http.Response, error) {
	req, err := f.source.Get(ctx)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", f.agent)
	if known.ETag != "" {
		req.Header.Set("If-None-Match", known.ETag)
	}
	if known.Modified != "" {
		req.Header.Set("If-Modified-Since", known.Modified)
	}
	return f.client.Do(req)
}

// watched reports whenever something was read.
type watched struct {
	io.Reader
	progress func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.progress()
	return n, err
}

// reason says why an exchange failed. It passes on no text but those known to be harmless: net/http's errors hold the
// URL with its secrets, the environment's proxy with its own, or what the server sent.
func reason(ctx context.Context, err error) error {
	var asked *url.Error
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, errTooLong):
		return errTooLong
	case errors.Is(err, resource.ErrRedirect) && errors.As(err, &asked):
		return asked.Err
	case errors.As(err, &certificate):
		return fmt.Errorf("its certificate is not trusted: %s", logs.Clean(certificate.Err.Error()))
	case errors.As(err, &op):
		return fmt.Errorf("the connection failed: %w", op.Err)
	case errors.Is(err, http.ErrSchemeMismatch):
		return errors.New("speaks HTTP, not HTTPS")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("cut the connection before its answer's end")
	default:
		return errors.New("gave no proper HTTP answer")
	}
}
