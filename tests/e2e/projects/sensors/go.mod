module example.org/sensors

go 1.27
