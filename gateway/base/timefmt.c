/* timefmt.c - unix milliseconds as text, without the C library's time zone machinery. */
#include "base/timefmt.h"

#include <stdio.h>

/* Years 0000 to 9999: what fits the formats. */
static const int64_t least_ms = -62167219200000, most_ms = 253402300799999;

struct civil {
    int year, month, day, hour, minute, second, ms;
    int weekday; /* 0 = Sunday */
};

/* Counts in years that begin in March, so that the leap day is the last day of its year. */
static struct civil civil_from(int64_t unix_ms)
{
    if (unix_ms < least_ms)
        unix_ms = least_ms;
    if (unix_ms > most_ms)
        unix_ms = most_ms;
    const int64_t day_ms = 86400000, days_to_1970 = 719468; /* from 0000-03-01 */
    int64_t shifted = unix_ms + (days_to_1970 + 146097) * day_ms;
    int64_t days = shifted / day_ms - 146097;
    int ms = (int)(shifted % day_ms);
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int day_of_era = (int)(days - era * 146097);
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month = (5 * day_of_year + 2) / 153; /* 0 = March */
    struct civil c = {
        .day = day_of_year - (153 * month + 2) / 5 + 1,
        .month = month < 10 ? month + 3 : month - 9,
        .hour = ms / 3600000,
        .minute = ms / 60000 % 60,
        .second = ms / 1000 % 60,
        .ms = ms % 1000,
        .weekday = (int)((days + 146097 + 3) % 7), /* 0000-03-01 was a Wednesday */
    };
    c.year = year_of_era + (int)era * 400 + (c.month <= 2);
    return c;
}

static char *digits(char *p, int value, int width)
{
    for (int i = width - 1; i >= 0; i--, value /= 10)
        p[i] = (char)('0' + value % 10);
    return p + width;
}

void timefmt_iso(int64_t unix_ms, char out[TIMEFMT_MAX])
{
    struct civil c = civil_from(unix_ms);
    char *p = digits(out, c.year, 4);
    *p++ = '-';
    p = digits(p, c.month, 2);
    *p++ = '-';
    p = digits(p, c.day, 2);
    *p++ = 'T';
    p = digits(p, c.hour, 2);
    *p++ = ':';
    p = digits(p, c.minute, 2);
    *p++ = ':';
    p = digits(p, c.second, 2);
    *p++ = '.';
    p = digits(p, c.ms, 3);
    *p++ = 'Z';
    *p = '\0';
}

void timefmt_amz(int64_t unix_ms, char out[TIMEFMT_MAX])
{
    struct civil c = civil_from(unix_ms);
    char *p = digits(out, c.year, 4);
    p = digits(p, c.month, 2);
    p = digits(p, c.day, 2);
    *p++ = 'T';
    p = digits(p, c.hour, 2);
    p = digits(p, c.minute, 2);
    p = digits(p, c.second, 2);
    *p++ = 'Z';
    *p = '\0';
}

void timefmt_http(int64_t unix_ms, char out[TIMEFMT_MAX])
{
    static const char weekdays[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil c = civil_from(unix_ms);
    snprintf(out, TIMEFMT_MAX, "%s, %02d %s %04d %02d:%02d:%02d GMT", weekdays[c.weekday], c.day,
             months[c.month - 1], c.year, c.hour, c.minute, c.second);
}

bool timefmt_duration(struct slice s, int64_t *out_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {"", 1000}};
    size_t n = 0;
    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    int64_t number;
    if (!slice_int((struct slice){s.p, n}, &number))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (slice_is(slice_from(s, n), units[i].unit))
            return !__builtin_mul_overflow(number, units[i].ms, out_ms);
    return false;
}
