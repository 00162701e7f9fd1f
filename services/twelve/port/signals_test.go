package port

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// These run the test binary as an app of its own, and send it real signals.

func TestOnSIGTERM(t *testing.T) {
	t.Parallel()
	app := startApp(t, 2*time.Second, patience)
	c := client(t)
	if r := get(t, c, app.url+"/readyz"); r.err != nil || r.StatusCode != http.StatusOK || r.Close {
		t.Fatalf("got %+v, want 200 on a connection kept alive", r)
	}
	request := hold(t, app.url)
	app.line(t, "held")
	app.signal(t, syscall.SIGTERM)
	if got := app.line(t, "draining")["reason"]; got != "terminated" {
		t.Errorf("got reason %v, want terminated", got)
	}

	t.Run("readiness is 503 first", func(t *testing.T) {
		if r := get(t, c, app.url+"/readyz"); r.err != nil || r.StatusCode != http.StatusServiceUnavailable || r.body != "draining\n" {
			t.Errorf("got %+v, want 503 draining", r)
		}
	})
	t.Run("it is still alive", func(t *testing.T) {
		if r := get(t, c, app.url+"/livez"); r.err != nil || r.StatusCode != http.StatusOK {
			t.Errorf("got %+v, want 200", r)
		}
	})
	t.Run("requests are still served on new connections, and answered with Connection: close", func(t *testing.T) {
		r := get(t, client(t), app.url+"/")
		if r.err != nil || r.StatusCode != http.StatusOK || r.body != "hello" {
			t.Errorf("got %+v, want 200 hello", r)
		}
		if r.err == nil && !r.Close {
			t.Errorf("got header %v, want Connection: close", r.Header)
		}
	})
	t.Run("then no new connections", func(t *testing.T) {
		closes(t, app.url)
	})
	t.Run("the request in flight finishes and its client gets the whole body", func(t *testing.T) { request.finish(t) })
	t.Run("the drain is logged", func(t *testing.T) { app.line(t, "drained") })
	t.Run("exit 0", func(t *testing.T) {
		if got := app.exit(t); got != 0 {
			t.Errorf("got exit status %d, stderr %q, want 0", got, app.stderr.String())
		}
	})
}

func TestTheDrainDelayIsKept(t *testing.T) {
	t.Parallel()
	const delay = 300 * time.Millisecond
	app := startApp(t, delay, patience)
	began := time.Now()
	app.signal(t, syscall.SIGTERM)
	app.line(t, "drained")
	if got := time.Since(began); got < delay {
		t.Errorf("got the end after %v, want no sooner than %v", got, delay)
	}
	if got := app.exit(t); got != 0 {
		t.Errorf("got exit status %d, want 0", got)
	}
}

func TestASecondSignal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		first, second syscall.Signal
	}{
		{"SIGTERM changes nothing", syscall.SIGTERM, syscall.SIGTERM},
		{"SIGTERM after Ctrl-C changes nothing", syscall.SIGINT, syscall.SIGTERM},
		{"the first Ctrl-C after SIGTERM changes nothing", syscall.SIGTERM, syscall.SIGINT},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			app := startApp(t, 0, patience)
			request := hold(t, app.url)
			app.line(t, "held")
			app.signal(t, tt.first)
			app.line(t, "draining")
			closes(t, app.url)
			for range 3 {
				app.signal(t, tt.second)
				if tt.second == syscall.SIGINT {
					break
				}
			}
			request.finish(t)
			app.line(t, "drained")
			if got := app.exit(t); got != 0 {
				t.Errorf("got exit status %d, stderr %q, want 0", got, app.stderr.String())
			}
		})
	}
}

func TestASecondSIGTERMOnTheAppsLastStepsChangesNothing(t *testing.T) {
	t.Parallel()
	app := startApp(t, 0, patience)
	app.signal(t, syscall.SIGTERM)
	app.line(t, "served") // Serve has returned
	for range 10 {
		app.signal(t, syscall.SIGTERM)
		io.WriteString(app.stdin, "still there?\n")
		app.line(t, "read")
	}
	if got := app.exit(t); got != 0 {
		t.Errorf("got exit status %d, want 0", got)
	}
}

func TestASecondCtrlCOnTheAppsLastStepsEndsAtOnce(t *testing.T) {
	t.Parallel()
	app := startApp(t, 0, patience)
	app.signal(t, syscall.SIGINT)
	app.line(t, "served")
	app.signal(t, syscall.SIGINT)
	ended := make(chan struct{})
	go func() {
		app.cmd.Wait() // its stdin is open
		close(ended)
	}()
	within(t, ended, "the app's end")
	if got := app.cmd.ProcessState.ExitCode(); got == 0 {
		t.Errorf("got exit status %d, want another", got)
	}
}

func TestASecondCtrlCEndsAtOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		delay  time.Duration
		during string
	}{
		{"while a request is in flight", 0, "the drain"},
		{"during the drain delay", time.Hour, "the delay"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			app := startApp(t, tt.delay, time.Hour)
			request := hold(t, app.url)
			app.line(t, "held")
			app.signal(t, syscall.SIGINT)
			if got := app.line(t, "draining")["reason"]; got != "interrupt" {
				t.Errorf("got reason %v, want interrupt", got)
			}
			app.signal(t, syscall.SIGINT)
			if r := within(t, request.replied, "the request's end"); r.err == nil {
				t.Errorf("got %+v, want the request cut", r)
			}
			if got := app.exit(t); got != 1 {
				t.Errorf("got exit status %d, want 1", got)
			}
			if got, want := app.stderr.String(), ErrInterrupted.Error()+"\n"; got != want {
				t.Errorf("got stderr %q, want %q", got, want)
			}
		})
	}
}

func TestARequestLongerThanTheDrainTimeoutIsCut(t *testing.T) {
	t.Parallel()
	app := startApp(t, 0, 50*time.Millisecond)
	request := hold(t, app.url)
	app.line(t, "held")
	app.signal(t, syscall.SIGTERM)
	if r := within(t, request.replied, "the request's end"); r.err == nil {
		t.Errorf("got %+v, want the request cut", r)
	}
	if got := app.exit(t); got != 1 {
		t.Errorf("got exit status %d, want 1", got)
	}
	if got, want := app.stderr.String(), "drain: 1 requests still in flight after 50ms were cut off\n"; got != want {
		t.Errorf("got stderr %q, want %q", got, want)
	}
}

func TestPORT0IsLogged(t *testing.T) {
	t.Parallel()
	app := startApp(t, 0, patience)
	if strings.HasSuffix(app.url, ":0") || !strings.HasPrefix(app.url, "http://localhost:") {
		t.Errorf("got url %q, want http://localhost and the port that was bound", app.url)
	}
	if r := get(t, client(t), app.url+"/"); r.err != nil || r.body != "hello" {
		t.Errorf("got %+v from the url that was logged, want hello", r)
	}
	app.signal(t, syscall.SIGTERM)
	if got := app.exit(t); got != 0 {
		t.Errorf("got exit status %d, want 0", got)
	}
}
