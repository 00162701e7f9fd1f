package ratesapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"example.com/portpair/services/twelve/check"
)

func (k *checker) reachable(ctx context.Context) check.Line {
	began := time.Now()
	conn, err := k.connect(ctx, "tcp", k.handle.Address())
	if err == nil {
		defer conn.Close()
		return check.Passed(fmt.Sprintf("%v connects in %v", conn.RemoteAddr(), rounded(time.Since(began))))
	}
	hostPort := k.handle.Address()
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return check.Failed(cause(err).Error(), "is the host's name right, and does this machine's resolver know it?")
	case errors.Is(err, syscall.ECONNREFUSED):
		return check.Failed(hostPort+": connection refused", "nothing listens there: start it, or name another host and port")
	case isTimeout(err), ctx.Err() != nil:
		return check.Failed(fmt.Sprintf("%s: no connection within %v", hostPort, rounded(time.Since(began))),
			"a firewall may drop it, or the host be down: is that the right address?")
	default:
		return check.Failed(fmt.Sprintf("%s: %v", hostPort, cause(err)), "is that the right address?")
	}
}

// secure shakes hands as the client does.
func (k *checker) secure(ctx context.Context) check.Line {
	if scheme := k.handle.URL().Scheme; !k.handle.OverTLS() {
		if k.handle.HasCredentials() && !isLoopback(k.handle.URL().Hostname()) {
			return check.Warned("none, and the credentials travel in the clear", fmt.Sprintf("write %ss:// in the handle, if the service speaks it", scheme))
		}
		return check.Passed(fmt.Sprintf("none: the handle says %s://", scheme))
	}
	conn, err := k.connect(ctx, "tcp", k.handle.Address())
	if err != nil {
		return check.Failed(cause(err).Error(), "it took a connection just before: is it restarting?")
	}
	shaken, err := k.shake(ctx, conn)
	if err != nil {
		return check.Failed(handshake(err))
	}
	defer shaken.Close()
	state := shaken.ConnectionState()
	return check.Passed(fmt.Sprintf("%s, its certificate holds until %s", tls.VersionName(state.Version), state.PeerCertificates[0].NotAfter.UTC().Format(time.DateOnly)))
}

// handshake says why there is no trust, and what to do.
func handshake(err error) (seen, advice string) {
	var (
		name      x509.HostnameError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &name):
		return "the certificate is for another host: " + strings.TrimPrefix(name.Error(), "x509: "),
			"name the host as the certificate does, or have one made for this name"
	case errors.As(err, &authority):
		return "the certificate is signed by an authority that this machine does not know",
			"for an authority of your own, SSL_CERT_FILE names the file of its certificate (on macOS the keychain holds it)"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate does not hold now: " + strings.TrimPrefix(invalid.Error(), "x509: "), "have it renewed, or set this machine's clock"
	case errors.As(err, &record):
		return "what answers does not speak TLS", "write http:// or redis:// in the handle, or name the port that speaks TLS"
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return "it says nothing in the handshake", "is that the right port?"
	default:
		return "no handshake: " + cause(err).Error(), "does it speak TLS, version 1.2 or later, on this port?"
	}
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// rounded is a duration as people read it.
func rounded(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}
