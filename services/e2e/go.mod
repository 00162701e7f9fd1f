module example.com/portpair/services/e2e

go 1.26
