/* Dates as text. */
#include "jinja/strftime.h"

#include <stdio.h>

typedef struct date {
    int64_t year, now;
    int month, day, hour, min, sec; /* month and day from 1 */
    int wday, yday; /* from 0; Sunday is 0 */
} date;

static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};

static bool leap(int64_t y)
{
    return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

static date split(int64_t now)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day = now / 86400, rest = now % 86400;
    if (rest < 0) day--, rest += 86400;
    date d = {.now = now, .hour = (int)(rest / 3600), .min = (int)(rest / 60 % 60), .sec = (int)(rest % 60)};
    d.wday = (int)(((day + 4) % 7 + 7) % 7);
    /* eras of 400 years keep this short for any date */
    int64_t era = day / 146097;
    day %= 146097;
    if (day < 0) era--, day += 146097;
    d.year = 1970 + era * 400;
    while (day >= (leap(d.year) ? 366 : 365)) day -= leap(d.year) ? 366 : 365, d.year++;
    d.yday = (int)day;
    for (d.month = 1; day >= lengths[d.month - 1] + (d.month == 2 && leap(d.year)); d.month++)
        day -= lengths[d.month - 1] + (d.month == 2 && leap(d.year));
    d.day = (int)day + 1;
    return d;
}

/* Week of the ISO year, which *year receives. */
static int iso_week(const date *d, int64_t *year)
{
    const int wday = (d->wday + 6) % 7; /* Monday is 0 */
    const int week = (d->yday - wday + 10) / 7;
    *year = d->year;
    if (week < 1) {
        const int64_t y = --*year;
        const int yday = d->yday + (leap(y) ? 366 : 365);
        return (yday - wday + 10) / 7;
    }
    if (week == 53 && d->yday - wday + 3 >= (leap(d->year) ? 366 : 365)) {
        ++*year;
        return 1;
    }
    return week;
}

static void number(jsb *b, int64_t v, int width, char pad, char flag)
{
    char buf[40];
    if (flag == '-') width = 1;
    if (flag == '_') pad = ' ';
    if (flag == '0') pad = '0';
    const int n = pad == '0' ? snprintf(buf, sizeof buf, "%0*lld", width, (long long)v)
                             : snprintf(buf, sizeof buf, "%*lld", width, (long long)v);
    if (n > 0) hlmi_jsb_add(b, buf, (size_t)n);
}

static void put(jsb *b, const date *d, char c, char flag);

static void several(jsb *b, const date *d, const char *directives)
{
    for (; *directives; directives++) {
        if (*directives >= 'A') put(b, d, *directives, '\0');
        else hlmi_jsb_char(b, *directives);
    }
}

static void put_number(jsb *b, const date *d, char c, char flag)
{
    int64_t year;
    const int week = iso_week(d, &year), hour12 = d->hour % 12 ? d->hour % 12 : 12;
    switch (c) {
    case 'Y': number(b, d->year, 1, '0', flag); break;
    case 'm': number(b, d->month, 2, '0', flag); break;
    case 'd': number(b, d->day, 2, '0', flag); break;
    case 'e': number(b, d->day, 2, ' ', flag); break;
    case 'H': number(b, d->hour, 2, '0', flag); break;
    case 'k': number(b, d->hour, 2, ' ', flag); break;
    case 'I': number(b, hour12, 2, '0', flag); break;
    case 'l': number(b, hour12, 2, ' ', flag); break;
    case 'M': number(b, d->min, 2, '0', flag); break;
    case 'S': number(b, d->sec, 2, '0', flag); break;
    case 'f': number(b, 0, 6, '0', '\0'); break;
    case 'j': number(b, d->yday + 1, 3, '0', flag); break;
    case 'y': number(b, (d->year % 100 + 100) % 100, 2, '0', flag); break;
    case 'C': number(b, d->year / 100, 2, '0', flag); break;
    case 'u': number(b, d->wday ? d->wday : 7, 1, '0', flag); break;
    case 'w': number(b, d->wday, 1, '0', flag); break;
    case 'U': number(b, (d->yday + 7 - d->wday) / 7, 2, '0', flag); break;
    case 'W': number(b, (d->yday + 7 - (d->wday + 6) % 7) / 7, 2, '0', flag); break;
    case 'V': number(b, week, 2, '0', flag); break;
    case 'G': number(b, year, 1, '0', flag); break;
    case 's': number(b, d->now, 1, '0', flag); break;
    default: /* unknown: as it stands */
        hlmi_jsb_char(b, '%');
        if (flag) hlmi_jsb_char(b, flag);
        hlmi_jsb_char(b, c);
    }
}

static void put(jsb *b, const date *d, char c, char flag)
{
    switch (c) {
    case 'A': hlmi_jsb_lit(b, days[d->wday]); break;
    case 'a': hlmi_jsb_add(b, days[d->wday], 3); break;
    case 'B': hlmi_jsb_lit(b, months[d->month - 1]); break;
    case 'b':
    case 'h': hlmi_jsb_add(b, months[d->month - 1], 3); break;
    case 'p': hlmi_jsb_lit(b, d->hour < 12 ? "AM" : "PM"); break;
    case 'P': hlmi_jsb_lit(b, d->hour < 12 ? "am" : "pm"); break;
    case 'c': several(b, d, "a b e H:M:S Y"); break;
    case 'D':
    case 'x': several(b, d, "m/d/y"); break;
    case 'F': several(b, d, "Y-m-d"); break;
    case 'T':
    case 'X': several(b, d, "H:M:S"); break;
    case 'R': several(b, d, "H:M"); break;
    case 'r': several(b, d, "I:M:S p"); break;
    case 'n': hlmi_jsb_char(b, '\n'); break;
    case 't': hlmi_jsb_char(b, '\t'); break;
    case '%': hlmi_jsb_char(b, '%'); break;
    case 'z': /* as for a time without a zone */
    case 'Z': break;
    default: put_number(b, d, c, flag); break;
    }
}

jv hlmi_jstrftime(jx *x, jv fmt, int64_t now)
{
    const date d = split(now);
    jsb b = jsb_new(x);
    for (size_t i = 0; i < fmt.n && hlmi_jstep(x, 1); i++) {
        char c = fmt.u.s[i], flag = '\0';
        if (c != '%' || i + 1 >= fmt.n) {
            hlmi_jsb_char(&b, c);
            continue;
        }
        c = fmt.u.s[++i];
        if (strchr("-_0^#", c) && c && i + 1 < fmt.n) {
            flag = c;
            c = fmt.u.s[++i];
        }
        put(&b, &d, c, flag);
    }
    return hlmi_jsb_done(&b);
}
