// Command bare is what the apps are measured against: net/http handlers that
// do the same work with nothing around it, no routes, no checks, no logs.
//
//	bare bytes URL     GETs the URL once and answers with the same bytes
//	bare body URL      answers with the body of them alone
//	bare relay URL     GETs the URL each time and returns the answer
//	bare commit FILE   commits one row to an SQLite file for each request
//
// It binds any free port of the loopback and prints its URL.
package main

import (
	"database/sql"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os"

	_ "github.com/ncruces/go-sqlite3/driver"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: bare bytes|body|relay|commit ARGUMENT")
	}
	handler, err := handlerOf(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", l.Addr())
	log.Fatal(http.Serve(l, handler))
}

func handlerOf(mode, argument string) (http.HandlerFunc, error) {
	switch mode {
	case "bytes", "body":
		header, body, err := get(argument)
		if mode == "body" {
			header = http.Header{"Content-Type": header["Content-Type"]}
		}
		return func(w http.ResponseWriter, _ *http.Request) { write(w, header, body) }, err
	case "relay":
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512}}
		return func(w http.ResponseWriter, _ *http.Request) {
			resp, err := client.Get(argument)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			write(w, resp.Header, body)
		}, nil
	case "commit":
		return commit(argument)
	}
	return nil, fmt.Errorf("no mode %q", mode)
}

// get is an answer as wrk gets it, but for what net/http adds by itself.
func get(url string) (http.Header, []byte, error) {
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	for _, own := range []string{"Date", "Content-Length", "Connection"} {
		resp.Header.Del(own)
	}
	return resp.Header, body, err
}

func write(w http.ResponseWriter, header http.Header, body []byte) {
	maps.Copy(w.Header(), header)
	w.Write(body)
}

// commit durably inserts a row of a quote's size with one statement, on one
// connection, as SQLite writes anyway.
func commit(file string) (http.HandlerFunc, error) {
	db, err := sql.Open("sqlite3", "file:"+file+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, row TEXT NOT NULL)`); err != nil {
		return nil, err
	}
	insert, err := db.Prepare(`INSERT INTO bare (row) VALUES (?)`)
	if err != nil {
		return nil, err
	}
	row := fmt.Sprintf("%0200d", 0)
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if _, err := insert.ExecContext(r.Context(), row); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, row)
	}, nil
}
