/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEXT_H
#define TEXT_H

static inline int text_starts(const char *text, const char *start)
{
    while (*start && *text == *start)
        text++, start++;
    return !*start;
}

static inline int text_equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

#endif
