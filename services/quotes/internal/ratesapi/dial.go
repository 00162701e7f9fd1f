package ratesapi

import (
	"context"
	"crypto/tls"
	"net"
)

// connect opens a connection, in the time that an attempt has.
func (c *Client) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	return c.dial(ctx, network, addr)
}

// shake shakes hands over a connection, and closes it when that fails.
func (c *Client) shake(ctx context.Context, conn net.Conn) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	shaken := tls.Client(conn, &tls.Config{ServerName: c.handle.URL().Hostname()})
	if err := shaken.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return shaken, nil
}
