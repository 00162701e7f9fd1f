// Command bare is what the apps are measured against: net/http handlers that
// do the same work with nothing around it, no routes, no checks, no logs.
//
//	bare bytes FILE    answers with the file's bytes, those of an HTTP answer
//	bare body FILE     answers with its body alone
//	bare relay URL     GETs the URL and returns the answer
//	bare commit FILE   commits one row to an SQLite file for each request
//
// It binds any free port of the loopback and prints its URL.
package main

import (
	"bufio"
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
		header, body, err := read(argument)
		if mode == "body" {
			header = http.Header{"Content-Type": header["Content-Type"]}
		}
		return func(w http.ResponseWriter, _ *http.Request) { write(w, header, body) }, err
	case "relay":
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
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

// read reads an answer. net/http dates and counts what it sends by itself.
func read(file string) (http.Header, []byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	answer, err := http.ReadResponse(bufio.NewReader(f), nil)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(answer.Body)
	for _, own := range []string{"Date", "Content-Length", "Connection"} {
		answer.Header.Del(own)
	}
	return answer.Header, body, err
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
